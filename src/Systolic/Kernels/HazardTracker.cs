using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Remembers which instructions wrote and read which part of each tile, and each scratch tensor, and which semaphore counts each stream has already waited for.</summary>
internal sealed class HazardTracker
{
    private readonly List<Uses> _tiles = [];
    private readonly List<Uses> _tensors = [];
    private readonly int[] _waited = new int[Streams.Count * Streams.Count];

    /// <summary>Makes room for more tiles.</summary>
    public void AddTiles(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _tiles.Add(new Uses());
        }
    }

    /// <summary>A tile lies where another one lay: what used that one counts as use of this one.</summary>
    public void Inherit(int tile, int from) => _tiles[tile].Inherit(_tiles[from]);

    /// <summary>Makes room for one more tensor.</summary>
    public void AddTensor() => _tensors.Add(new Uses());

    /// <summary>Appends the waits that instruction <paramref name="index"/> of <paramref name="stream"/> needs, and records what it touches.</summary>
    /// <param name="stream">Its stream.</param>
    /// <param name="index">Its place there.</param>
    /// <param name="operation">The views of tiles that it reads and writes.</param>
    /// <param name="read">The scratch tensor that it reads; -1 for none.</param>
    /// <param name="written">The scratch tensor that it writes; -1 for none.</param>
    /// <param name="waits">The program's waits.</param>
    public void Order(StreamId stream, int index, in Operation operation, int read, int written, List<SemaphoreWait> waits)
    {
        Visit(operation.First, stream, index, Access.Wait, waits);
        Visit(operation.Second, stream, index, Access.Wait, waits);
        Visit(operation.Third, stream, index, Access.Wait, waits);
        Visit(_tensors, read, Region.Whole, stream, index, Access.Wait, waits);
        Visit(operation.Target, stream, index, Access.Write, waits);
        Visit(operation.Reduced, stream, index, Access.Write, waits);
        Visit(_tensors, written, Region.Whole, stream, index, Access.Write, waits);
        Visit(operation.First, stream, index, Access.Read, waits);
        Visit(operation.Second, stream, index, Access.Read, waits);
        Visit(operation.Third, stream, index, Access.Read, waits);
        Visit(_tensors, read, Region.Whole, stream, index, Access.Read, waits);
    }

    private void Visit(in TileView view, StreamId stream, int index, Access access, List<SemaphoreWait> waits)
    {
        if (!view.IsNone)
        {
            Visit(_tiles, view.Tile.Index, Region.Of(view), stream, index, access, waits);
        }
    }

    private void Visit(List<Uses> places, int place, in Region region, StreamId stream, int index, Access access, List<SemaphoreWait> waits)
    {
        if (place < 0)
        {
            return;
        }

        if (access != Access.Read)
        {
            WaitFor(places[place], region, stream, access == Access.Write, waits);
        }

        if (access != Access.Wait)
        {
            places[place].Add(new Use(region, stream, index + 1, access == Access.Write));
        }
    }

    /// <summary>A read waits for what was written, in its own stream too; a write for what other streams wrote and read.</summary>
    private void WaitFor(Uses uses, in Region region, StreamId stream, bool write, List<SemaphoreWait> waits)
    {
        Span<int> needed = stackalloc int[Streams.Count];
        foreach (ref readonly Use use in uses.All)
        {
            if (use.Count > Math.Max(needed[(int)use.Stream], _waited[Entry(stream, use.Stream)])
                && (write ? use.Stream != stream : use.IsWrite) && use.Region.Overlaps(region))
            {
                needed[(int)use.Stream] = use.Count;
            }
        }

        for (int s = 0; s < needed.Length; s++)
        {
            if (needed[s] > 0)
            {
                _waited[Entry(stream, (StreamId)s)] = needed[s];
                waits.Add(new SemaphoreWait((StreamId)s, needed[s]));
            }
        }
    }

    private static int Entry(StreamId consumer, StreamId producer) => ((int)consumer * Streams.Count) + (int)producer;

    private enum Access
    {
        Wait,
        Write,
        Read,
    }

    /// <summary>An instruction that used a region.</summary>
    /// <param name="Region">Where.</param>
    /// <param name="Stream">Its stream.</param>
    /// <param name="Count">Its place there, from 1 on.</param>
    /// <param name="IsWrite">It wrote.</param>
    private readonly record struct Use(Region Region, StreamId Stream, int Count, bool IsWrite);

    /// <summary>The uses of one place that a later instruction may have to wait for.</summary>
    private sealed class Uses
    {
        // A tile that is used in more parts than this is tracked less exactly, so that the work for an instruction is bounded.
        private const int Most = 256;

        private Use[] _uses = new Use[4];
        private int _count;

        public ReadOnlySpan<Use> All => _uses.AsSpan(0, _count);

        /// <summary>Adds a use and forgets those it stands for: what waits for a write needs not wait for what that write waited for.</summary>
        public void Add(in Use use)
        {
            int kept = 0;
            for (int i = 0; i < _count; i++)
            {
                ref readonly Use before = ref _uses[i];
                bool replaced = (use.IsWrite || (before.Stream == use.Stream && !before.IsWrite)) && use.Region.Covers(before.Region);
                if (!replaced && kept++ != i)
                {
                    _uses[kept - 1] = before;
                }
            }

            _count = kept;
            Append(use);
        }

        public void Inherit(Uses from)
        {
            foreach (ref readonly Use use in from.All)
            {
                Append(use with { Region = Region.Whole });
            }

            Fold();
        }

        private void Append(in Use use)
        {
            if (_count == Most)
            {
                Fold();
            }

            if (_count == _uses.Length)
            {
                Array.Resize(ref _uses, 2 * _count);
            }

            _uses[_count++] = use;
        }

        /// <summary>One use for all reads of a stream and one for all its writes.</summary>
        private void Fold()
        {
            int kept = 0;
            for (int i = 0; i < _count; i++)
            {
                Use use = _uses[i];
                int same = Array.FindIndex(_uses, 0, kept, other => other.Stream == use.Stream && other.IsWrite == use.IsWrite);
                if (same < 0)
                {
                    _uses[kept++] = use;
                }
                else
                {
                    _uses[same] = use with { Region = use.Region.With(_uses[same].Region), Count = Math.Max(use.Count, _uses[same].Count) };
                }
            }

            _count = kept;
        }
    }
}
