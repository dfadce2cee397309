namespace Systolic.Components;

/// <summary>When each fold of a product starts to stream, and what follows from it.</summary>
/// <param name="Folds">How the product is cut.</param>
/// <param name="Lead">Cycles to shift a stationary tile in: the rows, or none where the outputs stay.</param>
/// <param name="Overlaps">The next fold follows at once.</param>
internal readonly record struct FoldTiming(FoldPlan Folds, int Lead, bool Overlaps)
{
    private long Streamed => Folds.Streamed;

    /// <summary>Cycles from the start of one fold's stream to that of the next.</summary>
    public long Interval => Overlaps ? Math.Max(Streamed, Folds.ArrayRows) : Lead + Streamed + Folds.Depth;

    /// <summary>From the first element of the stationary tile to the last result.</summary>
    public long Total => checked(Lead + ((Folds.Folds - 1) * Interval) + Streamed + Folds.Depth);

    /// <summary>Cycles that a fold waits for its stationary tile.</summary>
    public long Load => Overlaps
        ? checked(Lead + ((Folds.Folds - 1) * Math.Max(0, Lead - Streamed)))
        : checked(Folds.Folds * Lead);

    /// <summary>Cycles that take an element before the first one has come to the far corner.</summary>
    public long Fill => Overlaps ? TakenWithin(Folds.Depth) : checked(Folds.Folds * Math.Min(Streamed, Folds.Depth));

    public static FoldTiming Of<TDataflow>(ArraySpec array, TileShape shape)
        where TDataflow : struct, IDataflow => new(
            new FoldPlan(array.Rows, array.Columns, TDataflow.Extents(shape)),
            TDataflow.SumsMove ? array.Rows : 0,
            array.Overlap == FoldOverlap.BackgroundLoad);

    /// <summary>Sum over the folds in flight of the cells that their streams cover.</summary>
    public long ActiveCells(long cycle)
    {
        long elapsed = cycle - Lead;
        if (elapsed < 0)
        {
            return 0;
        }

        long oldest = Math.Max(0, (elapsed - Streamed - Folds.Depth) / Interval);
        long newest = Math.Min(Folds.Folds - 1, elapsed / Interval);
        long active = 0;
        for (long fold = oldest; fold <= newest; fold++)
        {
            active += Covered(fold, elapsed - (fold * Interval));
        }

        return active;
    }

    private long TakenWithin(long cycles)
    {
        long whole = Math.Min(Folds.Folds, cycles / Interval);
        return (whole * Streamed) + (whole < Folds.Folds ? Math.Min(cycles - (whole * Interval), Streamed) : 0);
    }

    // Cells (i, j) of the used corner with 0 <= sinceStart - i - j < Streamed.
    private long Covered(long fold, long sinceStart) =>
        CellsWithin(fold, sinceStart) - CellsWithin(fold, sinceStart - Streamed);

    // Cells of a rows x columns corner with i + j <= distance: a triangle, less what it has beyond either side, plus what was taken twice.
    private long CellsWithin(long fold, long distance)
    {
        int rows = Folds.UsedRows(fold);
        int columns = Folds.UsedColumns(fold);
        long side = Math.Min(distance, rows + columns) + 1;
        return Triangle(side) - Triangle(side - rows) - Triangle(side - columns) + Triangle(side - rows - columns);
    }

    private static long Triangle(long side) => side > 0 ? side * (side + 1) / 2 : 0;
}
