using Systolic.Numerics;

namespace Systolic.Components;

/// <summary>K on rows, M on columns; N columns of B stream past the tile of A, partial sums move down. Weight-stationary of the transposed product.</summary>
internal readonly struct InputStationary : IDataflow
{
    public static bool SumsMove => true;

    public static ArrayExtents Extents(TileShape shape) => new(shape.K, shape.M, shape.N);

    public static MatrixView Left(Matrix a, Matrix b) => new(b, Transposed: false);

    public static MatrixView Top(Matrix a, Matrix b) => new(a, Transposed: true);

    public static MatrixView Output(Matrix output) => new(output, Transposed: true);

    // B once for every column fold; A once; a set of partial sums for every fold along K.
    public static EdgeCounts Edges(TileShape shape, in FoldPlan folds) => new(
        checked((long)shape.K * shape.N * folds.ColumnFolds),
        checked((long)shape.M * shape.K),
        checked((long)shape.M * shape.N * folds.RowFolds));
}
