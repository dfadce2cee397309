using System.Globalization;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Programs;

namespace Systolic.Validation;

/// <summary>RMS normalization and quantization to fp8 of the public kernel library.</summary>
internal sealed class RmsNormQuantFamily : ITrainiumFamily
{
    /// <inheritdoc/>
    public string Name => "rmsnorm-quant";

    /// <inheritdoc/>
    public bool Takes(TrainiumRow row) => row.Workload.Contains("row-quantize", StringComparison.Ordinal);

    /// <inheritdoc/>
    public TrainiumPrediction Predict(TrainiumRow row) => KernelTiming.Predict(machine => Write(machine, row), row);

    /// <summary>The kernel with the sizes and options of the row.</summary>
    internal static Program Write(Accelerator machine, TrainiumRow row)
    {
        float clamp = row.Text("lower_bound") is { } bound ? float.Parse(bound, CultureInfo.InvariantCulture) : 0;
        bool normalize = row.Workload.Contains("RMSNorm", StringComparison.Ordinal);
        return RmsNormQuantKernel.Write(machine, new RmsNormQuantShape((long)row.Size("batch") * row.Size("seq"), row.Size("hidden"), normalize, clamp));
    }
}
