using Systolic.Numerics;

namespace Systolic.Components;

/// <summary>K on rows, N on columns; M rows of A stream past the K x N tile of B, partial sums move down.</summary>
internal readonly struct WeightStationary : IDataflow
{
    public static bool SumsMove => true;

    public static ArrayExtents Extents(TileShape shape) => new(shape.K, shape.N, shape.M);

    public static MatrixView Left(Matrix a, Matrix b) => new(a, Transposed: true);

    public static MatrixView Top(Matrix a, Matrix b) => new(b, Transposed: false);

    public static MatrixView Output(Matrix output) => new(output, Transposed: false);

    // A once for every column fold; B once; a set of partial sums for every fold along K.
    public static EdgeCounts Edges(TileShape shape, in FoldPlan folds) => new(
        checked((long)shape.M * shape.K * folds.ColumnFolds),
        checked((long)shape.K * shape.N),
        checked((long)shape.M * shape.N * folds.RowFolds));
}
