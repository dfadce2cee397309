namespace Systolic.Components;

/// <summary>Quotients rounded up.</summary>
internal static class ScaleSimCeiling
{
    /// <summary>The least whole number that is not below the quotient.</summary>
    public static long Of(long dividend, long divisor) => checked(dividend + divisor - 1) / divisor;
}
