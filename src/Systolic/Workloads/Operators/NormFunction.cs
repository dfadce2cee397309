namespace Systolic.Workloads;

/// <summary>Which normalization.</summary>
public enum NormFunction
{
    /// <summary>Divide by the root mean square, scale (Zhang and Sennrich 2019).</summary>
    Rms,

    /// <summary>Subtract the mean, divide by the deviation, scale and shift (Ba et al. 2016).</summary>
    Layer,
}
