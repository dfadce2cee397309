using BenchmarkDotNet.Attributes;
using Systolic.Components;
using Systolic.Numerics;

namespace Systolic.Benchmarks;

/// <summary>Cell updates per second of the register-level array: cycles x rows x columns over the time. One operation is one whole product.</summary>
public class RegisterArrayBenchmarks
{
    private readonly Matrix _a = Matrix.From(512, 512, (m, k) => ((m * 7) + k) % 13);
    private readonly Matrix _b = Matrix.From(512, 512, (k, n) => ((k * 5) + n) % 11);
    private ArraySpec _array = new(128, 128, Dataflow.WeightStationary);

    /// <summary>What stays in the cells.</summary>
    [Params(Dataflow.WeightStationary, Dataflow.OutputStationary, Dataflow.InputStationary)]
    public Dataflow Dataflow { get; set; }

    /// <summary>What happens between folds.</summary>
    [Params(FoldOverlap.None, FoldOverlap.BackgroundLoad)]
    public FoldOverlap Overlap { get; set; }

    /// <summary>Element type.</summary>
    [Params(DataType.Fp32, DataType.Int8)]
    public DataType Type { get; set; }

    /// <summary>Builds the array.</summary>
    [GlobalSetup]
    public void Setup() => _array = new ArraySpec(128, 128, Dataflow, Overlap);

    /// <summary>512 x 512 x 512 on 128 x 128 cells.</summary>
    [Benchmark]
    public ArrayProduct Multiply() => RegisterArray.Multiply(_array, _a, _b, Type);
}
