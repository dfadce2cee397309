namespace Systolic.Components;

/// <summary>How a product is cut into array-sized folds; column folds outside, row folds inside.</summary>
/// <remarks>A fold at the edge of the product uses fewer lanes and takes the same time: the array has no shorter paths.</remarks>
internal readonly record struct FoldPlan(int ArrayRows, int ArrayColumns, Roles Extents)
{
    public int RowFolds { get; } = ((Extents.Rows - 1) / ArrayRows) + 1;

    public int ColumnFolds { get; } = ((Extents.Columns - 1) / ArrayColumns) + 1;

    public long Folds => (long)RowFolds * ColumnFolds;

    public int Streamed => Extents.Streamed;

    /// <summary>Cells between the first and the far corner: cycles from an element's entry to its last use.</summary>
    public int Depth => ArrayRows + ArrayColumns - 2;

    public int FirstRow(long fold) => (int)(fold % RowFolds) * ArrayRows;

    public int FirstColumn(long fold) => (int)(fold / RowFolds) * ArrayColumns;

    public int UsedRows(long fold) => Math.Min(ArrayRows, Extents.Rows - FirstRow(fold));

    public int UsedColumns(long fold) => Math.Min(ArrayColumns, Extents.Columns - FirstColumn(fold));
}
