using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Softmax, norms, activations and losses.</summary>
internal static class GpuRowKernels
{
    /// <summary>Predicts a row.</summary>
    public static GpuPrediction Predict(GpuRow row, GpuBench bench)
    {
        Operator[] kernels = Kernels(row);
        return kernels.Length == 0 ? GpuPrediction.Refuse($"no kernel for {row.Op} in the library") : new(GpuClasses.Rows) { Seconds = bench.Seconds(kernels) };
    }

    private static Operator[] Kernels(GpuRow row) => row.Op switch
    {
        "softmax" => [new Softmax(row.Id, row.M, row.N) { Type = row.Type }],
        "layernorm" => [new Norm(row.Id, NormFunction.Layer, row.M, row.N) { Type = row.Type }],
        "rmsnorm" when row.Variant.StartsWith("huggingface", StringComparison.Ordinal) => NormByParts(row),
        "rmsnorm" => [new Norm(row.Id, NormFunction.Rms, row.M, row.N) { Type = row.Type }],
        "gelu" => [Pass(row, ElementwiseFunction.Gelu, row.Type)],
        "add" => [Pass(row, ElementwiseFunction.Add, row.Type)],
        "swiglu" => [Pass(row, ElementwiseFunction.GatedSilu, row.Type)],
        "cross_entropy" when row.Variant.StartsWith("liger", StringComparison.Ordinal) => [new CrossEntropy(row.Id, row.M, row.N) { Type = row.Type }],
        "cross_entropy" => [new Softmax(row.Id, row.M, row.N) { Type = row.Type }],
        _ => [],
    };

    private static Elementwise Pass(GpuRow row, ElementwiseFunction function, DataType type) => new(row.Id, function, row.M, Math.Max(1, row.N)) { Type = type };

    /// <summary>The eager module: to fp32, square, mean, scale, back, gain; a kernel each.</summary>
    private static Operator[] NormByParts(GpuRow row) =>
    [
        Pass(row, ElementwiseFunction.Relu, DataType.Fp32), Pass(row, ElementwiseFunction.Relu, DataType.Fp32), new Norm(row.Id, NormFunction.Rms, row.M, row.N) { Type = DataType.Fp32 },
        Pass(row, ElementwiseFunction.Relu, DataType.Fp32), Pass(row, ElementwiseFunction.Relu, row.Type), Pass(row, ElementwiseFunction.Relu, row.Type),
    ];
}
