using Systolic.Numerics;

namespace Systolic.Components;

/// <summary>A dataflow: which dimension lies where, how a cell updates, and what follows for the edges. Chosen once, outside the loop.</summary>
/// <remarks>
/// Every cell keeps three registers: moving (from the left neighbour), top and sum. Each cycle it computes sum := sum + top x moving, where either
/// the sum comes from the cell above and top stays (<see cref="SumsMove"/>), or top comes from the cell above and the sum stays.
/// </remarks>
internal interface IDataflow
{
    /// <summary>Sums move down and the top operand stays; otherwise the reverse.</summary>
    static abstract bool SumsMove { get; }

    /// <summary>The extents on rows, on columns, and streamed.</summary>
    static abstract Roles Roles(TileShape shape);

    /// <summary>The operand of the left edge: element (row, step).</summary>
    static abstract MatrixView Left(Matrix a, Matrix b);

    /// <summary>The operand of the top edge: element (row, column) where it stays, (step, column) where it moves.</summary>
    static abstract MatrixView Top(Matrix a, Matrix b);

    /// <summary>O seen as the array writes it: (step, column) where sums move, (row, column) where they stay.</summary>
    static abstract MatrixView Output(Matrix output);

    /// <summary>What crosses the edges.</summary>
    static abstract EdgeCounts Edges(TileShape shape, in FoldPlan folds);
}

/// <summary>The extents of a product by their place on the array.</summary>
internal readonly record struct Roles(int Rows, int Columns, int Streamed);

/// <summary>Elements over each edge, in a whole product.</summary>
internal readonly record struct EdgeCounts(long Left, long Top, long Bottom);
