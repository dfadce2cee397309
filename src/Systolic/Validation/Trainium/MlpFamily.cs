using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Programs;

namespace Systolic.Validation;

/// <summary>Feed-forward blocks of the public kernel library.</summary>
internal sealed class MlpFamily : ITrainiumFamily
{
    /// <inheritdoc/>
    public string Name => "mlp";

    /// <inheritdoc/>
    public bool Takes(TrainiumRow row) => row.Workload.Contains("mlp_tkg", StringComparison.Ordinal);

    /// <inheritdoc/>
    public TrainiumPrediction Predict(TrainiumRow row) => KernelTiming.Of(machine => Write(machine, row), row);

    /// <summary>The kernel with the sizes and options of the row.</summary>
    internal static Program Write(Accelerator machine, TrainiumRow row) => DecodeMlpKernel.Write(machine, new DecodeMlpShape(
        row.Size("batch") * row.Size("seq"), row.Size("hidden"), row.Size("intermediate"), DecodeQkvFamily.Norm(row))
    {
        Gate = !Has(row, "skip_gate"),
        Bias = Has(row, "bias"),
        AddResidual = Has(row, "fused_add"),
        StoreSum = Has(row, "store_add"),
        GateUpColumns = row.Size("gate_up_col_tiling") == 1,
        DownColumns = row.Size("down_col_tiling") == 1,
        DownPermuted = row.Size("down_opt_layout") == 1,
        Scaling = row.Type.Contains("(row)", StringComparison.Ordinal) ? WeightScaling.Row : row.Type.Contains("(static)", StringComparison.Ordinal) ? WeightScaling.Static : WeightScaling.None,
    });

    private static bool Has(TrainiumRow row, string option) => row.Workload.Contains(option, StringComparison.Ordinal);
}
