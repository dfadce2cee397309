namespace Systolic.Components;

/// <summary>How a product is cut into array-sized folds; column folds outside, row folds inside.</summary>
/// <remarks>A fold at the edge of the product uses fewer lanes and takes the same time: the array has no shorter paths.</remarks>
/// <param name="ArrayRows">Rows of the array.</param>
/// <param name="ArrayColumns">Columns of the array.</param>
/// <param name="Extents">The product, by its place on the array.</param>
public readonly record struct FoldPlan(int ArrayRows, int ArrayColumns, ArrayExtents Extents)
{
    /// <summary>Folds along the rows.</summary>
    public int RowFolds { get; } = ((Extents.Rows - 1) / ArrayRows) + 1;

    /// <summary>Folds along the columns.</summary>
    public int ColumnFolds { get; } = ((Extents.Columns - 1) / ArrayColumns) + 1;

    /// <summary>Folds in all.</summary>
    public long Folds => (long)RowFolds * ColumnFolds;

    /// <summary>Elements that each lane takes in a fold.</summary>
    public int Streamed => Extents.Streamed;

    /// <summary>Cells between the first and the far corner: cycles from an element's entry to its last use.</summary>
    public int Depth => ArrayRows + ArrayColumns - 2;

    /// <summary>The first row of the product that a fold holds.</summary>
    public int FirstRow(long fold) => (int)(fold % RowFolds) * ArrayRows;

    /// <summary>Its first column.</summary>
    public int FirstColumn(long fold) => (int)(fold / RowFolds) * ArrayColumns;

    /// <summary>Rows of the array that a fold uses.</summary>
    public int UsedRows(long fold) => Math.Min(ArrayRows, Extents.Rows - FirstRow(fold));

    /// <summary>Columns of the array that a fold uses.</summary>
    public int UsedColumns(long fold) => Math.Min(ArrayColumns, Extents.Columns - FirstColumn(fold));
}
