using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Programs;

namespace Systolic.Validation;

/// <summary>Feed-forward blocks of the public kernel library.</summary>
internal sealed class MlpFamily : ITrainiumFamily
{
    private const string Prefill = "mlp_cte";

    private static readonly string[] NotWritten = ["bias", "fused_add", "store_add"];

    /// <inheritdoc/>
    public string Name => "mlp";

    /// <inheritdoc/>
    public bool Takes(TrainiumRow row) => row.Workload.Contains("nkilib mlp_", StringComparison.Ordinal);

    /// <inheritdoc/>
    public TrainiumPrediction Predict(TrainiumRow row)
    {
        bool prefill = Has(row, Prefill);
        if (prefill && NotWritten.FirstOrDefault(option => Has(row, option)) is { } option)
        {
            return TrainiumPrediction.Skip($"the prefill kernel is written without {option}");
        }

        return KernelTiming.Predict(machine => Write(machine, row), row) with { Apart = prefill ? "/prefill" : null };
    }

    /// <summary>The kernel with the sizes and options of the row.</summary>
    internal static Program Write(Accelerator machine, TrainiumRow row) => Has(row, Prefill)
        ? PrefillMlpKernel.Write(machine, new PrefillMlpShape((long)row.Size("batch") * row.Size("seq"), row.Size("hidden"), row.Size("intermediate"), Scaling(row))
        {
            Norm = DecodeQkvFamily.Norm(row),
            Gate = !Has(row, "skip_gate"),
            Function = Has(row, "GELU") ? ActivationFunction.Gelu : ActivationFunction.Silu,
        })
        : DecodeMlpKernel.Write(machine, Decode(row));

    private static DecodeMlpShape Decode(TrainiumRow row) => new(row.Size("batch") * row.Size("seq"), row.Size("hidden"), row.Size("intermediate"), DecodeQkvFamily.Norm(row))
    {
        Gate = !Has(row, "skip_gate"),
        Bias = Has(row, "bias"),
        AddResidual = Has(row, "fused_add"),
        StoreSum = Has(row, "store_add"),
        GateUpColumns = row.Size("gate_up_col_tiling") == 1,
        DownColumns = row.Size("down_col_tiling") == 1,
        DownPermuted = row.Size("down_opt_layout") == 1,
        Scaling = Scaling(row),
    };

    private static WeightScaling Scaling(TrainiumRow row) =>
        row.Type.Contains("(row)", StringComparison.Ordinal) ? WeightScaling.Row : row.Type.Contains("(static)", StringComparison.Ordinal) ? WeightScaling.Static : WeightScaling.None;

    private static bool Has(TrainiumRow row, string option) => row.Workload.Contains(option, StringComparison.Ordinal);
}
