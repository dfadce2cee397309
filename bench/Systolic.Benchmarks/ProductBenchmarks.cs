using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using BenchmarkDotNet.Attributes;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Simulation;
using Systolic.Workloads;

namespace Systolic.Benchmarks;

/// <summary>A product executed as a program on values, beside the core's peak: a loop of independent fused multiply-adds in registers.</summary>
/// <remarks>A cube of n is 2 n^3 operations; <see cref="Peak"/> is 2 x 16 x 12 x <see cref="Rounds"/> of them.</remarks>
public class ProductBenchmarks
{
    /// <summary>Rounds of the peak loop.</summary>
    public const int Rounds = 1_000_000;

    private readonly Dictionary<string, Matrix> _inputs = [];
    private readonly float _factor = 0.999f;
    private Programs.Program? _program;

    /// <summary>Extent of all three dimensions.</summary>
    [Params(1024, 2048)]
    public int Size { get; set; }

    /// <summary>Lowers the product and fills its operands.</summary>
    [GlobalSetup]
    public void Setup()
    {
        Accelerator machine = MachinePresets.Accelerator("trn2-core");
        _program = KernelLibrary.Lower(new MatMul("product", Size, Size, Size, LeftTransposed: true), machine, values: true).Passes.Single().Program;
        _inputs["left"] = Matrix.From(Size, Size, (k, m) => ((k * 7) + m) % 13 / 8f);
        _inputs["right"] = Matrix.From(Size, Size, (k, n) => ((k * 5) + n) % 11 / 8f);
    }

    /// <summary>All of the program: loads, products, evictions, stores.</summary>
    [Benchmark]
    public IReadOnlyDictionary<string, Matrix> Execute() => Interpreter.Run(_program!, _inputs);

    /// <summary>Twelve chains, more than the latency of a multiply-add times the units of any core so far.</summary>
    [Benchmark]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public float Peak()
    {
        Vector512<float> a = Vector512.Create(_factor), b = Vector512.Create(1e-3f);
        Vector512<float> s0 = b, s1 = b, s2 = b, s3 = b, s4 = b, s5 = b, s6 = b, s7 = b, s8 = b, s9 = b, s10 = b, s11 = b;
        for (int i = 0; i < Rounds; i++)
        {
            s0 = Vector512.FusedMultiplyAdd(s0, a, b);
            s1 = Vector512.FusedMultiplyAdd(s1, a, b);
            s2 = Vector512.FusedMultiplyAdd(s2, a, b);
            s3 = Vector512.FusedMultiplyAdd(s3, a, b);
            s4 = Vector512.FusedMultiplyAdd(s4, a, b);
            s5 = Vector512.FusedMultiplyAdd(s5, a, b);
            s6 = Vector512.FusedMultiplyAdd(s6, a, b);
            s7 = Vector512.FusedMultiplyAdd(s7, a, b);
            s8 = Vector512.FusedMultiplyAdd(s8, a, b);
            s9 = Vector512.FusedMultiplyAdd(s9, a, b);
            s10 = Vector512.FusedMultiplyAdd(s10, a, b);
            s11 = Vector512.FusedMultiplyAdd(s11, a, b);
        }

        return Vector512.Sum(s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9 + s10 + s11);
    }
}
