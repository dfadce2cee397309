namespace Systolic.Simt;

/// <summary>The time of a plan at any clock: its lower bound, or what simulations at one or two clocks tell.</summary>
/// <param name="plan">Kernel and split.</param>
/// <param name="cycles">Cycles of the busiest multiprocessor at a clock of <paramref name="hertz"/>; negative for the lower bound.</param>
/// <param name="hertz">That clock.</param>
/// <param name="slope">Cycles more per hertz more. Those of arithmetic do not change, those of main memory grow with the clock.</param>
internal readonly struct GemmTime(GemmPlan plan, double cycles = -1, double hertz = 0, double slope = 0) : IKernelTime
{
    /// <inheritdoc/>
    public double SecondsAt(double at) => cycles < 0 ? plan.LeastSeconds(at) : plan.OverheadSeconds(at) + ((cycles + (slope * (at - hertz))) / at);
}
