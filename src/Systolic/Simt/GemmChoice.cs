namespace Systolic.Simt;

/// <summary>A plan as simulated: at which clock it runs, and for how long.</summary>
/// <param name="Plan">Kernel and split.</param>
/// <param name="Run">The busiest multiprocessor, at the last clock simulated.</param>
/// <param name="Hertz">The clock that the power cap allows.</param>
/// <param name="Seconds">From launch to the end.</param>
internal readonly record struct GemmChoice(GemmPlan Plan, MultiprocessorRun Run, double Hertz, double Seconds)
{
    /// <summary>Seconds of the waves alone.</summary>
    public double WaveSeconds => Seconds - Plan.OverheadSeconds(Hertz) + (FittedConstants.ColdStartCycles / Hertz);

    /// <summary>Simulates a plan at the highest clock and, where power does not allow it, near the clock that it allows.</summary>
    /// <param name="spec">The machine.</param>
    /// <param name="problem">The product.</param>
    /// <param name="plan">Kernel and split.</param>
    /// <param name="enough">A time from which on the plan is of no interest: its clock is not sought.</param>
    public static GemmChoice Of(SimtSpec spec, GemmProblem problem, GemmPlan plan, double enough)
    {
        double maximum = spec.MaximumClock.Hertz;
        double flops = 2 * plan.ExecutedMacs * FittedConstants.RelativeEnergy(problem.Rate.Executed);
        double bytes = plan.ReadBytes + plan.WrittenBytes;
        MultiprocessorRun fastest = plan.Simulate(maximum);
        var time = new GemmTime(plan, maximum, fastest.Cycles, 0);
        double hertz = time.SecondsAt(maximum) < enough ? PowerCap.Clock(spec, time, bytes, flops) : maximum;
        if (hertz == maximum)
        {
            return new GemmChoice(plan, fastest, maximum, time.SecondsAt(maximum));
        }

        MultiprocessorRun slower = plan.Simulate(hertz);
        time = new GemmTime(plan, maximum, fastest.Cycles, (fastest.Cycles - slower.Cycles) / (maximum - hertz));
        hertz = PowerCap.Clock(spec, time, bytes, flops);
        return new GemmChoice(plan, slower, hertz, time.SecondsAt(hertz));
    }
}
