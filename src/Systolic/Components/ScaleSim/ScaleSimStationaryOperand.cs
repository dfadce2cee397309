namespace Systolic.Components;

/// <summary>An operand that stays in the cells: the filter of a weight-stationary array, the ifmap of an input-stationary one.</summary>
/// <remarks>DRAM delivers, for each column fold, the whole slab row by row from the top; the array asks for a tile bottom row first, a row in a cycle.</remarks>
internal sealed class ScaleSimStationaryOperand(ScaleSimFolds folds) : ScaleSimOperand(folds)
{
    /// <inheritdoc/>
    public override long Words => checked(Folds.OnRows * Folds.OnColumns);

    /// <inheritdoc/>
    public override long PaddedWords => checked(Folds.ColumnFolds * Folds.OnRows * Folds.Columns);

    /// <inheritdoc/>
    public override long FirstCycle => Folds.Rows - Folds.RowsOf(0);

    /// <inheritdoc/>
    public override long LastCycle => ((Folds.Count - 1) * Folds.Length) + Folds.Rows - 1;

    /// <inheritdoc/>
    public override IEnumerable<(long Words, long Times)> Passes => [(Words, 1)];

    /// <inheritdoc/>
    public override ScaleSimRequests At(long cycle)
    {
        (long fold, long inFold) = Math.DivRem(cycle, Folds.Length);
        (long columnFold, long rowFold) = Math.DivRem(fold, Folds.RowFolds);
        long row = (rowFold * Folds.Rows) + Folds.Rows - 1 - inFold;
        return inFold >= Folds.Rows || row >= Folds.OnRows
            ? default
            : new ScaleSimRequests(RowKey(columnFold, row), Folds.ColumnsOf(columnFold), row, columnFold * Folds.Columns, Step: 0);
    }

    /// <inheritdoc/>
    public override long CycleOf(long index)
    {
        (long columnFold, long inSlab) = Math.DivRem(index, Folds.OnRows * Folds.Columns);
        long columns = Folds.ColumnsOf(columnFold);
        long rowFold = inSlab / (Folds.Rows * columns);
        long row = (inSlab / columns) - (rowFold * Folds.Rows);
        return (((columnFold * Folds.RowFolds) + rowFold) * Folds.Length) + Folds.Rows - Folds.RowsOf(rowFold) + row;
    }

    /// <inheritdoc/>
    public override long Key(long along, long across)
    {
        (long columnFold, long column) = Math.DivRem(across, Folds.Columns);
        return RowKey(columnFold, along) + column;
    }

    /// <inheritdoc/>
    public override long NextOutside(long cycle, ScaleSimWindow window)
    {
        (long fold, long inFold) = Math.DivRem(cycle, Folds.Length);
        for (; fold < Folds.Count; fold++, inFold = 0)
        {
            (long columnFold, long rowFold) = Math.DivRem(fold, Folds.RowFolds);
            long top = rowFold * Folds.Rows;
            long row = Math.Min(top + Folds.Rows - 1 - inFold, Folds.OnRows - 1);
            long outside = row < top ? -1 : FirstOutside(columnFold, top, row, window);
            if (outside >= 0)
            {
                return (fold * Folds.Length) + top + Folds.Rows - 1 - outside;
            }
        }

        return Folds.Cycles;
    }

    /// <inheritdoc/>
    public override IEnumerable<(long Along, long Across)> InStreamOrder()
    {
        for (long slab = 0; slab < Folds.OnColumns; slab += Folds.Columns)
        {
            for (long row = 0; row < Folds.OnRows; row++)
            {
                for (long column = slab; column < Math.Min(slab + Folds.Columns, Folds.OnColumns); column++)
                {
                    yield return (row, column);
                }
            }
        }
    }

    private long RowKey(long columnFold, long row) =>
        checked((columnFold * Folds.OnRows * Folds.Columns) + (row * Folds.ColumnsOf(columnFold)));

    // Keys fall from row to row, upwards: the stretch of the window that holds the bottom row is left at its begin.
    private long FirstOutside(long columnFold, long top, long bottom, ScaleSimWindow window)
    {
        long columns = Folds.ColumnsOf(columnFold);
        if (window.StretchOf(RowKey(columnFold, bottom)) is not { } stretch || RowKey(columnFold, bottom) + columns > stretch.End)
        {
            return bottom;
        }

        long firstInside = ScaleSimCeiling.Of(Math.Max(0, stretch.Begin - RowKey(columnFold, 0)), columns);
        return firstInside <= top ? -1 : firstInside - 1;
    }
}
