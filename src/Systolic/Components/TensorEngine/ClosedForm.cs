using Systolic.Units;

namespace Systolic.Components;

/// <summary>Cycles, counts and occupancy of a product on an array without stepping it: the fast fidelity.</summary>
/// <remarks>
/// Derived in docs/array.md; equal to <see cref="RegisterArray"/> for every shape (ClosedFormTests). Element t of lane i enters i cycles after element t of
/// lane 0, so cell (i, j) uses it i + j cycles after lane 0 took it, and the far corner Rows + Columns - 2 after.
/// </remarks>
public static class ClosedForm
{
    /// <summary>The cost of a whole product.</summary>
    /// <exception cref="OverflowException">A count exceeds 2^63 - 1.</exception>
    public static TileCost Cost(ArraySpec array, TileShape shape)
    {
        ArgumentNullException.ThrowIfNull(array);
        return array.Dataflow switch
        {
            Dataflow.WeightStationary => Cost<WeightStationary>(array, shape),
            Dataflow.OutputStationary => Cost<OutputStationary>(array, shape),
            _ => Cost<InputStationary>(array, shape),
        };
    }

    /// <summary>Cells that multiply two elements of the operands in one cycle, counted from 0; none before and after the product.</summary>
    public static long ActiveCells(ArraySpec array, TileShape shape, long cycle)
    {
        ArgumentNullException.ThrowIfNull(array);
        FoldTiming timing = array.Dataflow switch
        {
            Dataflow.WeightStationary => FoldTiming.Of<WeightStationary>(array, shape),
            Dataflow.OutputStationary => FoldTiming.Of<OutputStationary>(array, shape),
            _ => FoldTiming.Of<InputStationary>(array, shape),
        };
        return timing.ActiveCells(cycle);
    }

    /// <summary>The cost of a whole product under another dataflow than that of <paramref name="array"/>.</summary>
    /// <exception cref="OverflowException">A count exceeds 2^63 - 1.</exception>
    public static TileCost Cost<TDataflow>(ArraySpec array, TileShape shape)
        where TDataflow : struct, IDataflow
    {
        ArgumentNullException.ThrowIfNull(array);
        FoldTiming timing = FoldTiming.Of<TDataflow>(array, shape);
        FoldPlan folds = timing.Folds;
        EdgeCounts edges = TDataflow.Edges(shape, folds);
        long entering = checked(folds.Folds * folds.Streamed);
        long fill = timing.Fill;
        return new TileCost
        {
            Folds = folds.Folds,
            Load = new Cycles(timing.Load),
            Fill = new Cycles(fill),
            Steady = new Cycles(entering - fill),
            Drain = new Cycles(timing.Total - timing.Load - entering),
            LeftReads = edges.Left,
            TopReads = edges.Top,
            BottomWrites = edges.Bottom,
            ActiveCellCycles = shape.Macs,
            CellCycles = checked(array.Rows * array.Columns * timing.Total),
        };
    }
}
