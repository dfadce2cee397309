namespace Systolic.Components;

/// <summary>Words that pass one edge of the array: per fold a block of (depth x lanes) words, lane j delayed by j cycles.</summary>
internal abstract class ScaleSimWave(ScaleSimFolds folds)
{
    /// <summary>The folds.</summary>
    protected ScaleSimFolds Folds { get; } = folds;

    /// <summary>All words of the layer.</summary>
    public long Total => Before(Folds.Count);

    /// <summary>The cycle of a fold with its first word, and the block that passes.</summary>
    public abstract (long Offset, long Depth, long Lanes) Block(long fold);

    /// <summary>Words of all folds before one.</summary>
    public abstract long Before(long fold);

    /// <summary>Words that pass in one cycle.</summary>
    public long At(long cycle)
    {
        (long fold, long inFold) = Math.DivRem(cycle, Folds.Length);
        (long offset, long depth, long lanes) = Block(fold);
        return ScaleSimDiagonals.On(inFold - offset, depth, lanes);
    }

    /// <summary>Words that passed before a cycle.</summary>
    public long Until(long cycle)
    {
        (long fold, long inFold) = Math.DivRem(cycle, Folds.Length);
        return fold == Folds.Count ? Total : Before(fold) + InFold(fold, inFold);
    }

    /// <summary>The cycle in which word number <paramref name="index"/> passes, from 0; the layer's length where there is none.</summary>
    public long CycleOf(long index)
    {
        if (index >= Total)
        {
            return Folds.Cycles;
        }

        long fold = ScaleSimSearch.Last(0, Folds.Count - 1, candidate => Before(candidate) <= index);
        long inFold = ScaleSimSearch.Last(0, Folds.Length - 1, candidate => Before(fold) + InFold(fold, candidate) <= index);
        return (fold * Folds.Length) + inFold;
    }

    private long InFold(long fold, long cycle)
    {
        (long offset, long depth, long lanes) = Block(fold);
        return ScaleSimDiagonals.Above(cycle - offset, depth, 0, lanes);
    }
}

/// <summary>Outputs on their way to the ofmap SRAM.</summary>
/// <remarks>Column c delays its outputs by c. Output stationary: R array rows leave bottom first after T - 1 cycles, those of an unfilled fold as nulls. Otherwise T outputs per column from cycle 2R - 1.</remarks>
internal sealed class ScaleSimOutputs(ScaleSimFolds folds) : ScaleSimWave(folds)
{
    private readonly bool _stay = folds.Dataflow == ScaleSimDataflow.OutputStationary;

    /// <inheritdoc/>
    public override (long Offset, long Depth, long Lanes) Block(long fold)
    {
        (long columnFold, long rowFold) = Math.DivRem(fold, Folds.RowFolds);
        long lanes = Folds.ColumnsOf(columnFold);
        long rows = Folds.RowsOf(rowFold);
        return _stay ? (Folds.Streamed - 1 + Folds.Rows - rows, rows, lanes) : ((2 * Folds.Rows) - 1, Folds.Streamed, lanes);
    }

    /// <inheritdoc/>
    public override long Before(long fold)
    {
        (long columnFold, long rowFold) = Math.DivRem(fold, Folds.RowFolds);
        long perRowFold = _stay ? Folds.Rows : Folds.Streamed;
        long perColumn = _stay ? Folds.OnRows : checked(Folds.RowFolds * Folds.Streamed);
        long full = Math.Min(columnFold * Folds.Columns, Folds.OnColumns);
        return checked((full * perColumn) + (rowFold == 0 ? 0 : rowFold * perRowFold * Folds.ColumnsOf(columnFold)));
    }
}

/// <summary>Requests of a streamed operand: T words for each lane, which is an array row or, for the filter of an output-stationary array, a column.</summary>
internal sealed class ScaleSimStream(ScaleSimFolds folds, bool onColumns) : ScaleSimWave(folds)
{
    /// <inheritdoc/>
    public override (long Offset, long Depth, long Lanes) Block(long fold)
    {
        (long columnFold, long rowFold) = Math.DivRem(fold, Folds.RowFolds);
        return (Folds.Load, Folds.Streamed, onColumns ? Folds.ColumnsOf(columnFold) : Folds.RowsOf(rowFold));
    }

    /// <inheritdoc/>
    public override long Before(long fold)
    {
        (long columnFold, long rowFold) = Math.DivRem(fold, Folds.RowFolds);
        long lanes = onColumns
            ? (Math.Min(columnFold * Folds.Columns, Folds.OnColumns) * Folds.RowFolds) + (rowFold == 0 ? 0 : rowFold * Folds.ColumnsOf(columnFold))
            : (columnFold * Folds.OnRows) + (rowFold * Folds.Rows);
        return checked(lanes * Folds.Streamed);
    }
}
