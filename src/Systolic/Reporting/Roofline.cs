
namespace Systolic.Reporting;

/// <summary>Which roof a run stands under.</summary>
public enum RooflineLimit
{
    /// <summary>The matrix units' peak rate.</summary>
    Arithmetic,

    /// <summary>Main memory's peak bandwidth.</summary>
    Memory,
}

/// <summary>Where a run stands on its machine's roofline (Williams, Waterman and Patterson 2009).</summary>
/// <param name="Intensity">Useful floating-point operations per byte of main memory that was moved; infinite when none was.</param>
/// <param name="Ridge">The intensity at which peak arithmetic and peak bandwidth meet, for the type with most multiply-accumulates.</param>
public sealed record Roofline(double Intensity, double Ridge)
{
    /// <summary>The roof at this intensity.</summary>
    public RooflineLimit Limit => Intensity >= Ridge ? RooflineLimit.Arithmetic : RooflineLimit.Memory;

    /// <summary>The largest share of peak arithmetic that this intensity allows, at most 1.</summary>
    public double AttainableMfu => Math.Min(1, Intensity / Ridge);

    /// <summary>Places a run.</summary>
    public static Roofline Of(RunReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        long bytes = report.Counts.DramBytes;
        double peak = 2 * MatrixPeak.Rate(report.Machine, MatrixPeak.Leading(report.Counts));
        return new(bytes == 0 ? double.PositiveInfinity : report.UsefulFlops / bytes, peak / report.Machine.MainMemory.BytesPerSecond);
    }
}
