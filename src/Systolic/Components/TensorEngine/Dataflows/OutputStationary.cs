using Systolic.Numerics;

namespace Systolic.Components;

/// <summary>M on rows, N on columns; K columns of A move right, K rows of B move down, each output is summed in its cell.</summary>
internal readonly struct OutputStationary : IDataflow
{
    public static bool SumsMove => false;

    public static ArrayExtents Extents(TileShape shape) => new(shape.M, shape.N, shape.K);

    public static MatrixView Left(Matrix a, Matrix b) => new(a, Transposed: false);

    public static MatrixView Top(Matrix a, Matrix b) => new(b, Transposed: false);

    public static MatrixView Output(Matrix output) => new(output, Transposed: false);

    // A once for every column fold; B once for every row fold; every output once.
    public static EdgeCounts Edges(TileShape shape, in FoldPlan folds) => new(
        checked((long)shape.M * shape.K * folds.ColumnFolds),
        checked((long)shape.K * shape.N * folds.RowFolds),
        checked((long)shape.M * shape.N));
}
