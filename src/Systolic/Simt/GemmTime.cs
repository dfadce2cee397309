namespace Systolic.Simt;

/// <summary>The time of a plan at any clock, from simulations at the highest clock and at one other.</summary>
/// <remarks>Between two clocks the cycles are taken as linear: those of arithmetic do not change, those of main memory grow with the clock.</remarks>
internal readonly struct GemmTime(GemmPlan plan, double hertz, double cycles, double slope) : IKernelTime
{
    /// <summary>Cycles of the busiest multiprocessor.</summary>
    public double Cycles(double at) => cycles + (slope * (at - hertz));

    /// <inheritdoc/>
    public double SecondsAt(double at) => plan.OverheadSeconds(at) + (Cycles(at) / at);
}
