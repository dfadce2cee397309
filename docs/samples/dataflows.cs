#:package Systolic@0.1.0
// One product on one array under three dataflows and one of one's own: the closed form, and the register-level array on real values.
using Systolic.Components;
using Systolic.Numerics;

var shape = new TileShape(96, 64, 80); // M, K, N
Matrix a = Matrix.From(96, 64, (m, k) => ((m + k) % 7) - 3), b = Matrix.From(64, 80, (k, n) => ((k * n) % 5) - 2);
foreach (Dataflow dataflow in Enum.GetValues<Dataflow>())
{
    foreach (FoldOverlap overlap in Enum.GetValues<FoldOverlap>())
    {
        var array = new ArraySpec(32, 32, dataflow, overlap);
        TileCost cost = ClosedForm.Cost(array, shape);
        ArrayProduct product = RegisterArray.Multiply(array, a, b, DataType.Bf16);
        Console.WriteLine($"{dataflow,-16} {overlap,-14} {cost.Total.Value,5} cycles; register level {product.Cycles.Value,5}, o[5, 6] = {product.Output[5, 6]}");
    }
}

// Rows of the array are few here: with N on them, M takes the columns and the product falls into fewer folds.
var wide = new ArraySpec(8, 128, Dataflow.OutputStationary);
Console.WriteLine($"8x128: output stationary {ClosedForm.Cost(wide, shape).Total.Value} cycles, transposed {ClosedForm.Cost<TransposedOutputStationary>(wide, shape).Total.Value}");
ArrayProduct own = RegisterArray.Multiply<TransposedOutputStationary>(wide, a, b, DataType.Bf16);
Console.WriteLine($"register level, transposed {own.Cycles.Value}, o[5, 6] = {own.Output[5, 6]}");

/// <summary>N on rows, M on columns; columns of B move right, rows of A move down, each output is summed in its cell.</summary>
internal readonly struct TransposedOutputStationary : IDataflow
{
    public static bool SumsMove => false;

    public static ArrayExtents Extents(TileShape shape) => new(shape.N, shape.M, shape.K);

    public static MatrixView Left(Matrix a, Matrix b) => new(b, Transposed: true);

    public static MatrixView Top(Matrix a, Matrix b) => new(a, Transposed: true);

    public static MatrixView Output(Matrix output) => new(output, Transposed: true);

    public static EdgeCounts Edges(TileShape shape, in FoldPlan folds) => new(
        Left: (long)shape.N * shape.K * folds.ColumnFolds,
        Top: (long)shape.M * shape.K * folds.RowFolds,
        Bottom: (long)shape.M * shape.N);
}
