namespace Systolic.Components;

/// <summary>An operand that streams past the array: both of an output-stationary array, the ifmap of a weight-stationary and the filter of an input-stationary one.</summary>
/// <remarks>The (time by lane) matrices of successive folds stand one under another in a tall matrix, which DRAM delivers by anti-diagonals, lanes ascending.</remarks>
internal sealed class ScaleSimStreamedOperand : ScaleSimOperand
{
    private readonly ScaleSimStream _wave;
    private readonly bool _onColumns;
    private readonly long _lanes;
    private readonly long _blocks;
    private readonly long _extent;
    private readonly long _lastLanes;
    private readonly long _time;

    /// <summary>Streams along T; the lanes are array columns or rows.</summary>
    public ScaleSimStreamedOperand(ScaleSimFolds folds, bool onColumns)
        : base(folds)
    {
        (_onColumns, _time, _wave) = (onColumns, folds.Streamed, new ScaleSimStream(folds, onColumns));
        (_lanes, _blocks, _extent) = onColumns ? (folds.Columns, folds.ColumnFolds, folds.OnColumns) : (folds.Rows, folds.RowFolds, folds.OnRows);
        _lastLanes = _extent - ((_blocks - 1) * _lanes);
    }

    /// <inheritdoc/>
    public override long Words => checked(_extent * _time);

    /// <inheritdoc/>
    public override long PaddedWords => checked(_blocks * _time * _lanes);

    /// <inheritdoc/>
    public override long FirstCycle => Folds.Load;

    /// <inheritdoc/>
    public override long LastCycle => ((Folds.Count - 1) * Folds.Length) + Folds.Load + _time + _lastLanes - 2;

    /// <inheritdoc/>
    public override IEnumerable<(long Words, long Times)> Passes => _onColumns
        ? Blocks(Folds.ColumnFolds).Select(fold => (checked(Folds.ColumnsOf(fold) * _time), Folds.RowFolds))
        : [(Words, Folds.ColumnFolds)];

    /// <inheritdoc/>
    public override ScaleSimRequests At(long cycle)
    {
        (long fold, long inFold) = Math.DivRem(cycle, Folds.Length);
        return InBlock(Block(fold), inFold - Folds.Load);
    }

    /// <inheritdoc/>
    public override long CycleOf(long index) => _wave.CycleOf(index);

    /// <inheritdoc/>
    public override long Key(long along, long across)
    {
        (long block, long lane) = Math.DivRem(across, _lanes);
        return KeyOn((block * _time) + along + lane, lane);
    }

    /// <inheritdoc/>
    public override long NextOutside(long cycle, ScaleSimWindow window)
    {
        (long fold, long inFold) = Math.DivRem(cycle, Folds.Length);
        for (long from = inFold - Folds.Load; fold < Folds.Count; fold++, from = 0)
        {
            long outside = FirstOutside(Block(fold), Math.Max(0, from), window);
            if (outside >= 0)
            {
                return (fold * Folds.Length) + Folds.Load + outside;
            }
        }

        return Folds.Cycles;
    }

    /// <inheritdoc/>
    public override IEnumerable<(long Along, long Across)> InStreamOrder()
    {
        long rows = _blocks * _time;
        for (long diagonal = 0; diagonal <= rows + _lanes - 2; diagonal++)
        {
            for (long lane = Math.Max(0, diagonal - rows + 1); lane < _lanes && lane <= diagonal; lane++)
            {
                (long block, long along) = Math.DivRem(diagonal - lane, _time);
                if ((block * _lanes) + lane < _extent)
                {
                    yield return (along, (block * _lanes) + lane);
                }
            }
        }
    }

    private static IEnumerable<long> Blocks(long count)
    {
        for (long block = 0; block < count; block++)
        {
            yield return block;
        }
    }

    private long Block(long fold) => _onColumns ? fold / Folds.RowFolds : fold % Folds.RowFolds;

    private long Width(long block) => block == _blocks - 1 ? _lastLanes : _lanes;

    private ScaleSimRequests InBlock(long block, long diagonal)
    {
        long count = ScaleSimDiagonals.On(diagonal, _time, Width(block));
        if (count == 0)
        {
            return default;
        }

        long lane = Math.Max(0, diagonal - _time + 1);
        return new ScaleSimRequests(KeyOn((block * _time) + diagonal, lane), count, diagonal - lane, (block * _lanes) + lane, Step: -1);
    }

    // Entries on earlier diagonals, then those of lower lanes on this one. Lanes that the last block leaves empty end one block early.
    private long KeyOn(long diagonal, long lane)
    {
        long rows = _blocks * _time;
        long shortRows = rows - _time;
        return ScaleSimDiagonals.Above(diagonal, rows, 0, _lastLanes)
            + ScaleSimDiagonals.Above(diagonal, shortRows, _lastLanes, _lanes)
            + Math.Max(0, Math.Min(lane, _lastLanes) - Math.Max(0, diagonal - rows + 1))
            + Math.Max(0, lane - Math.Max(_lastLanes, diagonal - shortRows + 1));
    }

    // Keys rise from cycle to cycle: the stretch of the window that holds the first of them is left at its end.
    private long FirstOutside(long block, long from, ScaleSimWindow window)
    {
        long last = _time + Width(block) - 2;
        if (from > last)
        {
            return -1;
        }

        if (window.StretchOf(InBlock(block, from).Low) is not { } stretch)
        {
            return from;
        }

        if (InBlock(block, last).End <= stretch.End)
        {
            return -1;
        }

        long inside = ScaleSimSearch.Last(from - 1, last, diagonal => diagonal < from || InBlock(block, diagonal).End <= stretch.End);
        return inside + 1;
    }
}
