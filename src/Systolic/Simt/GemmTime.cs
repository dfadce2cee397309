namespace Systolic.Simt;

/// <summary>The time of a plan at clocks near one at which it was simulated: its waves take as many times their bound as there.</summary>
/// <remarks>The bound knows what a clock changes: cycles of arithmetic and caches stay the same, main memory takes the same time.</remarks>
/// <param name="plan">Kernel and split.</param>
/// <param name="ratio">Simulated seconds of the waves over the least.</param>
internal readonly struct GemmTime(GemmPlan plan, double ratio) : IKernelTime
{
    /// <inheritdoc/>
    public double SecondsAt(double hertz) => plan.OverheadSeconds(hertz) + (ratio * plan.LeastWaveSeconds(hertz));
}
