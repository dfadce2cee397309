using Systolic.Numerics;
using Systolic.Tests.Machines;
using Systolic.Workloads;

namespace Systolic.Tests.Simt;

/// <summary>Published readings of vendor-library GEMMs, long enough that the measurement's own overhead is below 2 %. C[M,N] = A[M,K] B[K,N]; 15 % allowed.</summary>
public sealed class MeasuredGemmTests
{
    [Theory]
    [InlineData("a100-80gb", DataType.Fp16, 2048, 12288, 12288, 2358.6, "LLMCompass artifact, ISCA 2024")]
    [InlineData("a100-80gb", DataType.Fp16, 8192, 16384, 16384, 15009, "LLMCompass artifact, ISCA 2024")]
    [InlineData("a100-80gb", DataType.Bf16, 1024, 5120, 10240, 395.9, "ml-engineering, maximum achievable matmul table")]
    [InlineData("h100", DataType.Fp16, 1, 8192, 57344, 311, "Vidur profiling tables")]
    [InlineData("h100", DataType.Fp16, 64, 28672, 8192, 169, "Vidur profiling tables")]
    [InlineData("h100", DataType.Fp16, 2048, 4096, 22016, 492, "Vidur profiling tables")]
    [InlineData("h100", DataType.Fp16, 4096, 8192, 8192, 788.5, "Vidur profiling tables")]
    [InlineData("h100", DataType.Bf16, 8192, 8192, 8192, 1378.7, "torch performance test data, issue 79")]
    [InlineData("h100", DataType.Fp32, 8192, 8192, 8192, 21222, "torch performance test data, issue 79")]
    [InlineData("h200", DataType.Bf16, 8192, 8192, 8192, 1395.3, "own reading, PyTorch 2.11, random operands")]
    [InlineData("v100", DataType.Fp16, 5124, 4096, 9124, 3678, "DeepBench results, TN")]
    [InlineData("v100", DataType.Fp16, 8448, 2816, 48000, 21217, "DeepBench results, NN")]
    [InlineData("v100", DataType.Fp32, 7680, 2560, 5481, 15075, "DeepBench results, NT")]
    public void Time_is_close_to_the_reading(string machine, DataType type, long m, long k, long n, double microseconds, string source)
    {
        var op = new MatMul("product", m, k, n) { Type = type, OutputType = type };
        double time = SimtPresets.Run(machine, op).Time.Microseconds;
        time.Should().BeInRange(microseconds * 0.85, microseconds * 1.15, source);
    }
}
