namespace Systolic.Simulation;

/// <summary>The standard normal distribution, for the exact form of the Gaussian error linear unit.</summary>
internal static class NormalDistribution
{
    private static readonly double InverseRootTwoPi = 1 / Math.Sqrt(2 * Math.PI);

    /// <summary>Probability density.</summary>
    public static double Density(double x) => InverseRootTwoPi * Math.Exp(-0.5 * x * x);

    /// <summary>Cumulative probability, to about 1e-15 of the density or better.</summary>
    /// <remarks>Series near zero (Marsaglia 2004), the continued fraction of Mills' ratio in the tails (Abramowitz and Stegun 26.2.14).</remarks>
    public static double Cumulative(double x) => x switch
    {
        double.NaN => x,
        > 40 => 1,
        < -40 => 0,
        >= -3 and <= 3 => 0.5 + (Density(x) * Series(x)),
        > 0 => 1 - Tail(x),
        _ => Tail(-x),
    };

    private static double Series(double x)
    {
        double sum = x, term = x;
        for (int i = 3; Math.Abs(term) > 1e-18 * Math.Abs(sum); i += 2)
        {
            term *= x * x / i;
            sum += term;
        }

        return sum;
    }

    private static double Tail(double x)
    {
        double fraction = 0;
        for (int i = 120; i > 0; i--)
        {
            fraction = i / (x + fraction);
        }

        return Density(x) / (x + fraction);
    }
}
