namespace Systolic.Workloads;

/// <summary>How the sizes of a compute-optimal model are estimated: the three approaches of Hoffmann et al. 2022 (arXiv 2203.15556), section 3.</summary>
public enum ScalingApproach
{
    /// <summary>Minimum over training curves: parameters grow with compute to the 0.50 (Table 2), 1e9 of them at 1.21e20 FLOP (Table 3).</summary>
    TrainingCurves = 1,

    /// <summary>IsoFLOP profiles: parameters grow with compute to the 0.49 (Table 2), 1e9 of them at 1.20e20 FLOP (Table A3).</summary>
    IsoFlopProfiles = 2,

    /// <summary>Parametric loss E + A / N^alpha + B / D^beta (equation 4), E 1.69, A 406.4, B 410.7, alpha 0.34, beta 0.28 (appendix D.3).</summary>
    ParametricLoss = 3,
}

/// <summary>A model size and the tokens to train it on that reach the least loss for a compute budget.</summary>
/// <param name="Parameters">Parameters of the model.</param>
/// <param name="Tokens">Training tokens.</param>
public readonly record struct ComputeOptimal(double Parameters, double Tokens)
{
    private const double FlopsPerParameterAndToken = 6;
    private const double ReferenceParameters = 1e9;
    private const double A = 406.4;
    private const double B = 410.7;
    private const double Alpha = 0.34;
    private const double Beta = 0.28;

    /// <summary>Training FLOPs, six per parameter and token (Kaplan et al. 2020).</summary>
    public double Flops => FlopsPerParameterAndToken * Parameters * Tokens;

    /// <summary>The optimum for a budget.</summary>
    /// <remarks>The printed coefficients of the third approach give fewer parameters than the paper's own figures, which rest on more digits: 32 billion against 40 billion at 5.76e23 FLOP.</remarks>
    public static ComputeOptimal ForFlops(double flops, ScalingApproach approach)
    {
        (double factor, double exponent) = Law(approach);
        double parameters = factor * Math.Pow(flops, exponent);
        return new(parameters, flops / (FlopsPerParameterAndToken * parameters));
    }

    /// <summary>The budget at which a model of so many parameters is the optimum, and its tokens.</summary>
    public static ComputeOptimal ForParameters(double parameters, ScalingApproach approach)
    {
        (double factor, double exponent) = Law(approach);
        double flops = Math.Pow(parameters / factor, 1 / exponent);
        return new(parameters, flops / (FlopsPerParameterAndToken * parameters));
    }

    /// <summary>Parameters = factor x FLOPs^exponent.</summary>
    private static (double Factor, double Exponent) Law(ScalingApproach approach)
    {
        const double Exponent3 = Beta / (Alpha + Beta);
        return approach switch
        {
            ScalingApproach.TrainingCurves => (ReferenceParameters / Math.Pow(1.21e20, 0.50), 0.50),
            ScalingApproach.IsoFlopProfiles => (ReferenceParameters / Math.Pow(1.20e20, 0.49), 0.49),
            _ => (Math.Pow(Alpha * A / (Beta * B), 1 / (Alpha + Beta)) / Math.Pow(FlopsPerParameterAndToken, Exponent3), Exponent3),
        };
    }
}
