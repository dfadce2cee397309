using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Remembers which instructions last wrote and read each tile, and which semaphore counts each stream has already waited for.</summary>
internal sealed class HazardTracker
{
    // Per tile and stream: one more than the index of the last instruction that wrote (read) the tile; 0 for none.
    private readonly List<int> _written = [];
    private readonly List<int> _read = [];
    private readonly int[] _waited = new int[Streams.Count * Streams.Count];

    /// <summary>Makes room for more tiles.</summary>
    public void AddTiles(int count)
    {
        _written.AddRange(new int[count * Streams.Count]);
        _read.AddRange(new int[count * Streams.Count]);
    }

    /// <summary>Appends the waits that instruction <paramref name="index"/> of <paramref name="stream"/> needs, and records what it touches.</summary>
    public void Order(StreamId stream, int index, Tile? target, Tile? first, Tile? second, List<SemaphoreWait> waits)
    {
        ReadAfterWrite(stream, first, waits);
        ReadAfterWrite(stream, second, waits);
        if (target is { } written)
        {
            WriteAfterAll(stream, written, waits);
            Clear(written);
            _written[Entry(written, stream)] = index + 1;
        }

        Record(first, stream, index);
        Record(second, stream, index);
    }

    private void ReadAfterWrite(StreamId stream, Tile? tile, List<SemaphoreWait> waits)
    {
        if (tile is not { } read)
        {
            return;
        }

        for (int s = 0; s < Streams.Count; s++)
        {
            Wait(stream, (StreamId)s, _written[Entry(read, (StreamId)s)], waits);
        }
    }

    private void WriteAfterAll(StreamId stream, Tile tile, List<SemaphoreWait> waits)
    {
        for (int s = 0; s < Streams.Count; s++)
        {
            if (s != (int)stream)
            {
                Wait(stream, (StreamId)s, Math.Max(_written[Entry(tile, (StreamId)s)], _read[Entry(tile, (StreamId)s)]), waits);
            }
        }
    }

    private void Wait(StreamId consumer, StreamId producer, int count, List<SemaphoreWait> waits)
    {
        ref int waited = ref _waited[((int)consumer * Streams.Count) + (int)producer];
        if (count > waited)
        {
            waited = count;
            waits.Add(new SemaphoreWait(producer, count));
        }
    }

    private void Clear(Tile tile)
    {
        for (int s = 0; s < Streams.Count; s++)
        {
            _written[Entry(tile, (StreamId)s)] = 0;
            _read[Entry(tile, (StreamId)s)] = 0;
        }
    }

    private void Record(Tile? tile, StreamId stream, int index)
    {
        if (tile is { } read)
        {
            _read[Entry(read, stream)] = index + 1;
        }
    }

    private static int Entry(Tile tile, StreamId stream) => (tile.Index * Streams.Count) + (int)stream;
}
