using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Tiles and scratch tensors that an instruction touches; -1 for none.</summary>
internal readonly record struct Touched(int Target, int Reduced, int First, int Second, int Third, int TensorRead, int TensorWritten);

/// <summary>Remembers which instructions last wrote and read each tile and scratch tensor, and which semaphore counts each stream has already waited for.</summary>
internal sealed class HazardTracker
{
    private readonly Places _tiles = new();
    private readonly Places _tensors = new();
    private readonly int[] _waited = new int[Streams.Count * Streams.Count];

    /// <summary>Per place and stream: one more than the index of the last instruction that wrote (read) the place; 0 for none.</summary>
    private sealed class Places
    {
        public List<int> Written { get; } = [];

        public List<int> Read { get; } = [];

        public void Inherit(int place, int from)
        {
            for (int s = 0; s < Streams.Count; s++)
            {
                Written[Entry(place, s)] = Math.Max(Written[Entry(place, s)], Written[Entry(from, s)]);
                Read[Entry(place, s)] = Math.Max(Read[Entry(place, s)], Read[Entry(from, s)]);
            }
        }

        public void Add(int count)
        {
            Written.AddRange(new int[count * Streams.Count]);
            Read.AddRange(new int[count * Streams.Count]);
        }
    }

    /// <summary>Makes room for more tiles.</summary>
    public void AddTiles(int count) => _tiles.Add(count);

    /// <summary>A tile lies where another one lay: what used that one counts as use of this one.</summary>
    public void Inherit(int tile, int from) => _tiles.Inherit(tile, from);

    /// <summary>Makes room for one more tensor.</summary>
    public void AddTensor() => _tensors.Add(1);

    /// <summary>Appends the waits that instruction <paramref name="index"/> of <paramref name="stream"/> needs, and records what it touches.</summary>
    public void Order(StreamId stream, int index, in Touched touched, List<SemaphoreWait> waits)
    {
        ReadAfterWrite(_tiles, stream, touched.First, waits);
        ReadAfterWrite(_tiles, stream, touched.Second, waits);
        ReadAfterWrite(_tiles, stream, touched.Third, waits);
        ReadAfterWrite(_tensors, stream, touched.TensorRead, waits);
        Write(_tiles, stream, index, touched.Target, waits);
        Write(_tiles, stream, index, touched.Reduced, waits);
        Write(_tensors, stream, index, touched.TensorWritten, waits);
        Record(_tiles, touched.First, stream, index);
        Record(_tiles, touched.Second, stream, index);
        Record(_tiles, touched.Third, stream, index);
        Record(_tensors, touched.TensorRead, stream, index);
    }

    private void ReadAfterWrite(Places places, StreamId stream, int place, List<SemaphoreWait> waits)
    {
        if (place < 0)
        {
            return;
        }

        for (int s = 0; s < Streams.Count; s++)
        {
            Wait(stream, (StreamId)s, places.Written[Entry(place, s)], waits);
        }
    }

    private void Write(Places places, StreamId stream, int index, int place, List<SemaphoreWait> waits)
    {
        if (place < 0)
        {
            return;
        }

        for (int s = 0; s < Streams.Count; s++)
        {
            if (s != (int)stream)
            {
                Wait(stream, (StreamId)s, Math.Max(places.Written[Entry(place, s)], places.Read[Entry(place, s)]), waits);
            }

            places.Written[Entry(place, s)] = 0;
            places.Read[Entry(place, s)] = 0;
        }

        places.Written[Entry(place, (int)stream)] = index + 1;
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

    private static void Record(Places places, int place, StreamId stream, int index)
    {
        if (place >= 0)
        {
            places.Read[Entry(place, (int)stream)] = index + 1;
        }
    }

    private static int Entry(int place, int stream) => (place * Streams.Count) + stream;
}
