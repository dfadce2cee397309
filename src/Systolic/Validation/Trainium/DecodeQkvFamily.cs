using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Decode query, key and value projections of the public kernel library.</summary>
internal sealed class DecodeQkvFamily : ITrainiumFamily
{
    /// <inheritdoc/>
    public string Name => "qkv";

    /// <inheritdoc/>
    public bool Takes(TrainiumRow row) => row.Workload.Contains("qkv_tkg", StringComparison.Ordinal);

    /// <inheritdoc/>
    public TrainiumPrediction Predict(TrainiumRow row) => KernelTiming.Predict(machine => Write(machine, row), row);

    /// <summary>The kernel with the sizes and options of the row.</summary>
    internal static Program Write(Accelerator machine, TrainiumRow row) => DecodeQkvKernel.Write(machine, new DecodeQkvShape(
        row.Size("batch") * row.Size("seq"), row.Size("hidden"), row.Size("qkv_dim"), Norm(row), row.Workload.Contains("fused residual add", StringComparison.Ordinal)));

    /// <summary>The normalization that the workload names.</summary>
    internal static NormFunction? Norm(TrainiumRow row) =>
        row.Workload.Contains("RMS_NORM", StringComparison.Ordinal) ? NormFunction.Rms : row.Workload.Contains("LAYER_NORM", StringComparison.Ordinal) ? NormFunction.Layer : null;
}
