using Systolic.Accounting;

namespace Systolic.Components;

/// <summary>One core's share of the cache in front of its share of main memory; empty at first.</summary>
/// <remarks>Rules: docs/memory.md. Lines are looked up when a request comes, so that misses go to main memory in the order of the requests.</remarks>
internal sealed class SharedCache : IMainMemory
{
    private readonly IMainMemory _memory;
    private readonly int _line;
    private readonly int _ways;
    private readonly long _sets;
    private readonly long _latency;
    private readonly double _perByte;
    private readonly Line[] _lines;
    private readonly long[] _bankFree;
    private readonly List<int> _fetching = [];
    private Stretch _fetches;
    private Stretch _writeBacks;
    private long _uses;
    private long _hits;
    private long _misses;
    private long _read;
    private long _written;

    /// <exception cref="ArgumentException">A core's share is empty.</exception>
    public SharedCache(SharedCacheSpec spec, int cores, IMainMemory memory)
    {
        if (spec.Sets < cores || spec.Banks < cores)
        {
            throw new ArgumentException(FormattableString.Invariant($"sharedCache: found {spec.Sets} sets and {spec.Banks} banks for {cores} cores, expected at least one of each for each core."));
        }

        (_memory, _line, _ways, _sets, _latency) = (memory, (int)spec.Line.Value, spec.Ways, spec.Sets / cores, spec.Latency.Value);
        _perByte = 1e15 * spec.Banks / spec.Bandwidth.BytesPerSecond;
        _lines = new Line[_sets * _ways];
        Array.Fill(_lines, new Line { Number = -1 });
        _bankFree = new long[spec.Banks / cores];
    }

    /// <inheritdoc/>
    public long Piece => _memory.Piece;

    /// <inheritdoc/>
    public long Read(long address, int bytes, long time, bool placed) =>
        placed ? Access(address, bytes, time, false) : _memory.Read(address, bytes, time + _latency, false);

    /// <inheritdoc/>
    public long Write(long address, int bytes, long time, bool placed) =>
        placed ? Access(address, bytes, time, true) : _memory.Write(address, bytes, time + _latency, false);

    /// <summary>Writes back what was written.</summary>
    public long Finish(long time)
    {
        long end = time;
        foreach (long line in _lines.Where(line => line.IsDirty).Select(line => line.Number).Order())
        {
            end = Math.Max(end, WriteBack(line, time));
        }

        return _memory.Finish(Math.Max(end, SendWriteBacks(time)));
    }

    /// <inheritdoc/>
    public void Count(ActivityCounts counts)
    {
        counts.Add(ActivityKind.SharedCacheReadByte, _read);
        counts.Add(ActivityKind.SharedCacheWriteByte, _written);
        counts.Add(ActivityKind.SharedCacheHit, _hits);
        counts.Add(ActivityKind.SharedCacheMiss, _misses);
        _memory.Count(counts);
    }

    private long Access(long address, int bytes, long time, bool write)
    {
        long looked = time + _latency, end = looked, last = (address + bytes - 1) / _line;
        for (long number = address / _line; number <= last; number++)
        {
            long touched = Math.Min(address + bytes, (number + 1) * _line) - Math.Max(address, number * _line);
            end = Math.Max(end, Bank(number, touched, time) + _latency);
            int slot = Find(number);
            if (_lines[slot].Number == number)
            {
                _hits++;
            }
            else
            {
                end = Math.Max(end, Replace(slot, number, fetch: !write || touched < _line, looked));
            }

            ref Line line = ref _lines[slot];
            line.IsDirty |= write;
            line.Used = ++_uses;
            end = Math.Max(end, line.Ready);
        }

        _read += write ? 0 : bytes;
        _written += write ? bytes : 0;
        return Math.Max(end, Math.Max(SendFetches(looked), SendWriteBacks(looked)));
    }

    private long Bank(long line, long bytes, long time)
    {
        ref long free = ref _bankFree[(int)(line % _bankFree.Length)];
        return free = Math.Max(free, time) + (long)Math.Ceiling(bytes * _perByte);
    }

    /// <summary>The place of a line; where it is not there, that of the least recently used line of its set.</summary>
    private int Find(long number)
    {
        int first = (int)(number % _sets) * _ways, oldest = first;
        for (int slot = first; slot < first + _ways; slot++)
        {
            if (_lines[slot].Number == number)
            {
                return slot;
            }

            oldest = _lines[slot].Used < _lines[oldest].Used ? slot : oldest;
        }

        return oldest;
    }

    private long Replace(int slot, long number, bool fetch, long time)
    {
        _misses++;
        long end = _lines[slot].IsDirty ? WriteBack(_lines[slot].Number, time) : time;
        _lines[slot] = new Line { Number = number };
        return fetch ? Math.Max(end, Fetch(number, slot, time)) : end;
    }

    // Lines behind each other in one piece of main memory are moved at once.
    private long Fetch(long line, int slot, long time)
    {
        long end = Joins(_fetches, line) ? time : SendFetches(time);
        _fetches = _fetches.With(line);
        _fetching.Add(slot);
        return end;
    }

    private long WriteBack(long line, long time)
    {
        long end = Joins(_writeBacks, line) ? time : SendWriteBacks(time);
        _writeBacks = _writeBacks.With(line);
        return end;
    }

    private bool Joins(Stretch stretch, long line) => line == stretch.First + stretch.Lines && line * _line % Piece != 0;

    private long SendFetches(long time)
    {
        if (_fetches.Lines == 0)
        {
            return time;
        }

        int bytes = _fetches.Lines * _line;
        long ready = _memory.Read(_fetches.First * _line, bytes, time, true);
        foreach (int slot in _fetching)
        {
            _lines[slot].Ready = ready;
        }

        _written += bytes;
        _fetches = default;
        _fetching.Clear();
        return ready;
    }

    private long SendWriteBacks(long time)
    {
        if (_writeBacks.Lines == 0)
        {
            return time;
        }

        int bytes = _writeBacks.Lines * _line;
        long taken = _memory.Write(_writeBacks.First * _line, bytes, time, true);
        _read += bytes;
        _writeBacks = default;
        return taken;
    }

    /// <summary>A line.</summary>
    private struct Line
    {
        /// <summary>Its address in lines; -1 for none.</summary>
        public long Number;

        /// <summary>Its last use; uses are numbered.</summary>
        public long Used;

        /// <summary>When it came from main memory.</summary>
        public long Ready;

        /// <summary>Main memory has an older one.</summary>
        public bool IsDirty;
    }

    /// <summary>Lines behind each other.</summary>
    private readonly record struct Stretch(long First, int Lines)
    {
        public Stretch With(long line) => Lines == 0 ? new(line, 1) : this with { Lines = Lines + 1 };
    }
}
