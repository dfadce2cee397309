using Systolic.Numerics;

namespace Systolic.Components;

/// <summary>A dataflow: which dimension lies where, how a cell updates, and what follows for the edges. Three are built in (<see cref="Dataflow"/>); others are given to the generic methods of <see cref="ClosedForm"/> and <see cref="RegisterArray"/>.</summary>
/// <remarks>
/// Every cell keeps three registers: moving (from the left neighbour), top and sum. Each cycle it computes sum := sum + top x moving, where either
/// the sum comes from the cell above and top stays (<see cref="SumsMove"/>), or top comes from the cell above and the sum stays.
/// </remarks>
public interface IDataflow
{
    /// <summary>Sums move down and the top operand stays; otherwise the reverse.</summary>
    static abstract bool SumsMove { get; }

    /// <summary>The extents on rows, on columns, and streamed. Where sums move, K lies on rows; where they stay, K is streamed.</summary>
    static abstract ArrayExtents Extents(TileShape shape);

    /// <summary>The operand of the left edge: element (row, step).</summary>
    static abstract MatrixView Left(Matrix a, Matrix b);

    /// <summary>The operand of the top edge: element (row, column) where it stays, (step, column) where it moves.</summary>
    static abstract MatrixView Top(Matrix a, Matrix b);

    /// <summary>O seen as the array writes it: (step, column) where sums move, (row, column) where they stay.</summary>
    static abstract MatrixView Output(Matrix output);

    /// <summary>What crosses the edges in a whole product.</summary>
    static abstract EdgeCounts Edges(TileShape shape, in FoldPlan folds);
}

/// <summary>The extents of a product by their place on the array.</summary>
/// <param name="Rows">On the rows.</param>
/// <param name="Columns">On the columns.</param>
/// <param name="Streamed">In time.</param>
public readonly record struct ArrayExtents(int Rows, int Columns, int Streamed);

/// <summary>Elements over each edge, in a whole product.</summary>
/// <param name="Left">Read over the left edge.</param>
/// <param name="Top">Read over the top edge.</param>
/// <param name="Bottom">Written over the bottom edge.</param>
public readonly record struct EdgeCounts(long Left, long Top, long Bottom);
