using Systolic.Components;

namespace Systolic.Tests.Components;

/// <summary>SCALE-Sim v3 word by word: every request of every cycle is listed and served on its own. Slow and obvious; for small layers.</summary>
internal sealed class ScaleSimWalk
{
    private const long Null = -1;
    private readonly ScaleSimConfiguration _machine;
    private readonly long[,] _ifmap;
    private readonly long[,] _filter;
    private readonly int _rows;
    private readonly int _columns;
    private readonly List<long[]> _ifmapDemand = [];
    private readonly List<long[]> _filterDemand = [];
    private readonly List<int> _outputs = [];

    public ScaleSimWalk(ScaleSimConfiguration machine, ScaleSimLayer layer)
    {
        (_machine, _rows, _columns) = (machine, (int)machine.Rows, (int)machine.Columns);
        _ifmap = Ifmap(layer);
        _filter = Numbered((int)layer.K, (int)layer.N);
        ListDemand();
    }

    public List<long> Figures()
    {
        var writes = new Writes(_machine.OfmapKibibytes * 512, _machine.Bandwidth?.Ofmap ?? _machine.Columns);
        Reads? ifmap = _machine.Bandwidth is { } b ? new Reads(_machine.IfmapKibibytes * 1024, b.Ifmap, IfmapStream()) : null;
        Reads? filter = _machine.Bandwidth is { } c ? new Reads(_machine.FilterKibibytes * 1024, c.Filter, FilterStream()) : null;
        var spans = new Span[] { new(), new(), new() };
        long stall = 0, total = 0;
        for (int i = 0; i < _outputs.Count; i++)
        {
            long now = i + stall;
            long ifmapStall = ifmap?.Serve(now, _ifmapDemand[i]) ?? 0;
            long filterStall = filter?.Serve(now, _filterDemand[i]) ?? 0;
            long ofmapStall = writes.Serve(now, _outputs[i]);
            spans[0].Note(_ifmapDemand[i].Any(IsWord), now + 1 + ifmapStall);
            spans[1].Note(_filterDemand[i].Any(IsWord), now + 1 + filterStall);
            spans[2].Note(_outputs[i] > 0, now + ofmapStall);
            total = now + ofmapStall;
            stall += Math.Max(Math.Max(ifmapStall, filterStall), ofmapStall);
        }

        writes.Finish(total);
        (long, long, long) dramIfmap = ifmap?.Result ?? Estimate(_machine.IfmapKibibytes, _ifmapDemand);
        (long, long, long) dramFilter = filter?.Result ?? Estimate(_machine.FilterKibibytes, _filterDemand);
        return
        [
            total, stall, writes.Last - Math.Min(dramIfmap.Item1, dramFilter.Item1),
            .. spans.SelectMany(span => (long[])[span.First, span.Last]),
            dramIfmap.Item1, dramIfmap.Item2, dramIfmap.Item3, dramFilter.Item1, dramFilter.Item2, dramFilter.Item3, writes.First, writes.Last, writes.Words,
        ];
    }

    public static List<long> FiguresOf(ScaleSimReport report) =>
    [
        report.TotalCycles, report.StallCycles, report.TotalCyclesWithPrefetch,
        .. ((ScaleSimTraffic[])[report.Ifmap, report.Filter, report.Ofmap]).SelectMany(operand => (long[])[operand.Sram.FirstCycle, operand.Sram.LastCycle]),
        .. ((ScaleSimTraffic[])[report.Ifmap, report.Filter, report.Ofmap]).SelectMany(operand => (long[])[operand.Dram.FirstCycle, operand.Dram.LastCycle, operand.Dram.Words]),
    ];

    private static bool IsWord(long word) => word != Null;

    private static long[,] Numbered(int rows, int columns)
    {
        var matrix = new long[rows, columns];
        for (int i = 0; i < matrix.Length; i++)
        {
            matrix[i / columns, i % columns] = i;
        }

        return matrix;
    }

    private static long[,] Ifmap(ScaleSimLayer layer)
    {
        long[,] matrix = Numbered((int)layer.M, (int)layer.K);
        if (layer.Convolution is not { } shape)
        {
            return matrix;
        }

        int i = 0;
        for (long oy = 0; oy < shape.OutputHeight; oy++)
        {
            for (long ox = 0; ox < shape.OutputWidth; ox++, i++)
            {
                for (int e = 0; e < layer.K; e++)
                {
                    long channel = e % shape.Channels;
                    long x = (ox * shape.Stride) + (e / shape.Channels % shape.FilterWidth);
                    long y = (oy * shape.Stride) + (e / shape.Channels / shape.FilterWidth);
                    matrix[i, e] = y < shape.InputHeight && x < shape.InputWidth ? (((y * shape.InputWidth) + x) * shape.Channels) + channel : Null;
                }
            }
        }

        return matrix;
    }

    private static long[,] Transposed(long[,] matrix)
    {
        var turned = new long[matrix.GetLength(1), matrix.GetLength(0)];
        for (int i = 0; i < matrix.GetLength(0); i++)
        {
            for (int j = 0; j < matrix.GetLength(1); j++)
            {
                turned[j, i] = matrix[i, j];
            }
        }

        return turned;
    }

    // Entry (row, column), or a null beyond the edge.
    private static long At(long[,] matrix, int row, int column) =>
        row >= 0 && row < matrix.GetLength(0) && column >= 0 && column < matrix.GetLength(1) ? matrix[row, column] : Null;

    private (long[,] Streamed, long[,] Stationary) Roles() =>
        _machine.Dataflow == ScaleSimDataflow.WeightStationary ? (_ifmap, _filter) : (Transposed(_filter), Transposed(_ifmap));

    private void ListDemand()
    {
        bool stay = _machine.Dataflow == ScaleSimDataflow.OutputStationary;
        (long[,] streamed, long[,] stationary) = Roles();
        int onRows = stay ? _ifmap.GetLength(0) : stationary.GetLength(0);
        int onColumns = stay ? _filter.GetLength(1) : stationary.GetLength(1);
        for (int column = 0; column < onColumns; column += _columns)
        {
            for (int row = 0; row < onRows; row += _rows)
            {
                if (stay)
                {
                    ListOutputStationary(row, column);
                }
                else
                {
                    ListStationary(streamed, stationary, row, column);
                }
            }
        }
    }

    private void ListOutputStationary(int row, int column)
    {
        int time = _ifmap.GetLength(1);
        for (int cycle = 0; cycle < _rows + _columns + time - 2; cycle++)
        {
            int at = cycle;
            _ifmapDemand.Add([.. Enumerable.Range(0, _rows).Select(r => at - r < time ? At(_ifmap, row + r, at - r) : Null)]);
            _filterDemand.Add([.. Enumerable.Range(0, _columns).Select(c => at - c < time ? At(_filter, at - c, column + c) : Null)]);

            // Column c sends row R - 1 - k, bottom first, in cycle T - 1 + c + k.
            _outputs.Add(Enumerable.Range(0, _columns).Count(c => at - time + 1 - c is var k && k >= 0 && k < _rows
                && row + _rows - 1 - k < _ifmap.GetLength(0) && column + c < _filter.GetLength(1)));
        }
    }

    private void ListStationary(long[,] streamed, long[,] stationary, int row, int column)
    {
        int time = streamed.GetLength(0);
        bool weights = _machine.Dataflow == ScaleSimDataflow.WeightStationary;
        for (int cycle = 0; cycle < (2 * _rows) + _columns + time - 2; cycle++)
        {
            int at = cycle;
            long[] tile = [.. Enumerable.Range(0, _columns).Select(c => at < _rows ? At(stationary, row + _rows - 1 - at, column + c) : Null)];
            long[] stream = [.. Enumerable.Range(0, _rows).Select(r => At(streamed, at - _rows - r, row + r))];
            (weights ? _filterDemand : _ifmapDemand).Add(tile);
            (weights ? _ifmapDemand : _filterDemand).Add(stream);
            _outputs.Add(Enumerable.Range(0, _columns).Count(c => at - (2 * _rows) + 1 - c is var t && t >= 0 && t < time && column + c < stationary.GetLength(1)));
        }
    }

    private List<long> IfmapStream() => _machine.Dataflow switch
    {
        ScaleSimDataflow.OutputStationary => Diagonals(Transposed(_ifmap), _rows),
        ScaleSimDataflow.WeightStationary => Diagonals(_ifmap, _rows),
        _ => Slabs(Transposed(_ifmap)),
    };

    private List<long> FilterStream() => _machine.Dataflow switch
    {
        ScaleSimDataflow.OutputStationary => Diagonals(_filter, _columns),
        ScaleSimDataflow.WeightStationary => Slabs(_filter),
        _ => Diagonals(Transposed(_filter), _rows),
    };

    // The (time x lanes) matrices of the folds under one another, by anti-diagonals, lanes ascending.
    private static List<long> Diagonals(long[,] matrix, int lanes)
    {
        int time = matrix.GetLength(0);
        int rows = time * ((matrix.GetLength(1) + lanes - 1) / lanes);
        var stream = new List<long>();
        for (int diagonal = 0; diagonal <= rows + lanes - 2; diagonal++)
        {
            for (int lane = 0; lane < lanes; lane++)
            {
                int row = diagonal - lane;
                if (row >= 0 && row < rows)
                {
                    stream.Add(At(matrix, row % time, (row / time * lanes) + lane));
                }
            }
        }

        return stream;
    }

    private List<long> Slabs(long[,] matrix)
    {
        var stream = new List<long>();
        for (int slab = 0; slab < matrix.GetLength(1); slab += _columns)
        {
            for (int row = 0; row < matrix.GetLength(0); row++)
            {
                stream.AddRange(Enumerable.Range(slab, _columns).Select(column => At(matrix, row, column)));
            }
        }

        return stream;
    }

    private static (long First, long Last, long Words) Estimate(long kibibytes, List<long[]> demand)
    {
        long granule = kibibytes * 1024 / 100;
        long first = demand.FindIndex(line => line.Any(IsWord));
        var held = new HashSet<long>();
        (long reads, long fill) = (0, -1);
        for (int i = 0; i < demand.Count; i++)
        {
            foreach (long word in demand[i].Where(IsWord))
            {
                reads += held.Add(word) ? 1 : 0;
                if (held.Count == 50 * granule)
                {
                    held.Clear();
                    fill = i;
                }
            }
        }

        return fill < 0 ? (-Up(Up(reads, granule) * granule, 10), -1, reads) : (first - Up(50 * granule, 10), fill + 1, reads);
    }

    private static long Up(long dividend, long divisor) => (dividend + divisor - 1) / divisor;

    private sealed class Span
    {
        public long First { get; private set; } = long.MaxValue;

        public long Last { get; private set; }

        public void Note(bool active, long cycle)
        {
            First = active ? Math.Min(First, cycle) : First;
            Last = active ? cycle : Last;
        }
    }

    private sealed class Reads
    {
        private readonly Dictionary<long, HashSet<long>> _granulesOf = [];
        private readonly long _granules;
        private readonly long _held;
        private readonly long _step;
        private readonly long _lines;
        private readonly long _bandwidth;
        private readonly long _first;
        private long _start;
        private long _last = -1;
        private long _reads;

        public Reads(long size, long bandwidth, List<long> stream)
        {
            long granule = Up(size, 100);
            long words = 0;
            foreach (long word in stream.Where(IsWord))
            {
                (_granulesOf.TryGetValue(word, out HashSet<long>? set) ? set : _granulesOf[word] = []).Add(words++ / granule);
            }

            _granules = (words / granule) + 1;
            _held = Math.Min(Up(size / 2, granule), _granules);
            _step = Math.Min(Up(size / 2, granule), _granules - _held);
            (_bandwidth, _lines, _first) = (bandwidth, Up(size / 2, bandwidth), Math.Min(Up(size / 2, bandwidth), Up(stream.Count, bandwidth)));
            _reads = _first * bandwidth;
        }

        public (long First, long Last, long Words) Result => (-_first, _last, _reads);

        public long Serve(long now, long[] requests)
        {
            long offset = 1;
            foreach (long word in requests.Where(IsWord))
            {
                while (!_granulesOf[word].Any(granule => (granule - _start + _granules) % _granules < _held))
                {
                    _start = (_start + _step) % _granules;
                    _last += _lines + 1;
                    _reads += _lines * _bandwidth;
                    long wait = _last - (now + offset);
                    offset += wait > 0 ? 2 * wait : wait;
                }
            }

            return offset - 1;
        }
    }

    private sealed class Writes(long half, long width)
    {
        private readonly Queue<long> _packed = new();
        private long _open;
        private long _used;
        private long _end;

        public long Words { get; private set; }

        public long First { get; private set; } = long.MaxValue;

        public long Last { get; private set; } = long.MinValue;

        public long Serve(long arrival, int words)
        {
            long now = arrival;
            for (int i = 0; i < words; i++)
            {
                if (++_open == width)
                {
                    Close();
                }

                _used++;
                if (now < _end)
                {
                    now = _used >= 2 * half ? _end : now;
                }
                else if (_used > half)
                {
                    Close();
                    _end = Drain(now);
                }
            }

            return now - arrival;
        }

        public void Finish(long now)
        {
            Close();
            while (_packed.Count > 0)
            {
                now = Drain(now) + 1;
            }
        }

        private void Close()
        {
            if (_open > 0)
            {
                _packed.Enqueue(_open);
                _open = 0;
            }
        }

        private long Drain(long now)
        {
            (long rows, long filled) = (0, width);
            while (rows < Up(half, width) && _packed.Count > 0)
            {
                filled = _packed.Dequeue();
                rows++;
            }

            long words = (rows * width) - (width - filled);
            (Words, _used, First, Last) = (Words + words, _used - words, Math.Min(First, now), Math.Max(Last, now + rows - 1));
            return now + rows - 1;
        }
    }
}
