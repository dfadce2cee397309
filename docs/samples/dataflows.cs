#:package Systolic@0.1.0
// One product on one array under three dataflows: the closed form, and the register-level array on real values.
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
