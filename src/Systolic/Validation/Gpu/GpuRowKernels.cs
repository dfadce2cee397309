using Systolic.Simt;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Softmax, norms, activations and losses.</summary>
internal static class GpuRowKernels
{
    /// <summary>Predicts a row.</summary>
    public static GpuPrediction Predict(GpuRow row, SimtSpec spec) => Operator(row) is { } op
        ? new(GpuClasses.Rows) { Seconds = GpuBench.Seconds(spec, op) }
        : GpuPrediction.Refuse($"no kernel for {row.Op} in the library");

    private static Operator? Operator(GpuRow row) => row.Op switch
    {
        "softmax" => new Softmax(row.Id, row.M, row.N) { Type = row.Type },
        "layernorm" => new Norm(row.Id, NormFunction.Layer, row.M, row.N) { Type = row.Type },
        "rmsnorm" => new Norm(row.Id, NormFunction.Rms, row.M, row.N) { Type = row.Type },
        "gelu" => new Elementwise(row.Id, ElementwiseFunction.Gelu, row.M, Math.Max(1, row.N)) { Type = row.Type },
        "add" => new Elementwise(row.Id, ElementwiseFunction.Add, row.M, Math.Max(1, row.N)) { Type = row.Type },
        "swiglu" => new Elementwise(row.Id, ElementwiseFunction.GatedSilu, row.M, row.N) { Type = row.Type },
        "cross_entropy" when row.Variant.StartsWith("liger", StringComparison.Ordinal) => new CrossEntropy(row.Id, row.M, row.N) { Type = row.Type },
        "cross_entropy" => new Softmax(row.Id, row.M, row.N) { Type = row.Type },
        _ => null,
    };
}
