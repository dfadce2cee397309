namespace Systolic.Simt;

/// <summary>Joins times of activities that overlap in part: between the larger one and their sum.</summary>
internal static class Join
{
    /// <summary>(a^p + b^p)^(1/p); never below the larger.</summary>
    public static double Norm(double a, double b, double p)
    {
        double large = Math.Max(a, b);
        return large == 0 ? 0 : large * Math.Pow(1 + Math.Pow(Math.Min(a, b) / large, p), 1 / p);
    }
}
