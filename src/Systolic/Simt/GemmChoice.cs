namespace Systolic.Simt;

/// <summary>A plan as simulated: at which clock it runs, and for how long.</summary>
/// <param name="Plan">Kernel and split.</param>
/// <param name="Run">The busiest multiprocessor, simulated at a clock nearby.</param>
/// <param name="Hertz">The clock that the power cap allows.</param>
/// <param name="Seconds">From launch to the end.</param>
internal readonly record struct GemmChoice(GemmPlan Plan, MultiprocessorRun Run, double Hertz, double Seconds)
{
    /// <summary>Simulated at the highest clock and allowed to run at it, or simulated again at the clock that power allowed.</summary>
    public bool IsSettled { get; private init; }

    /// <summary>Seconds of the waves alone.</summary>
    public double WaveSeconds => Seconds - Plan.OverheadSeconds(Hertz) + (FittedConstants.ColdStartCycles / Hertz);

    /// <summary>The least time that a plan can take. One that takes more cycles runs at a higher clock, but never for less time.</summary>
    public static double Least(SimtSpec spec, GemmProblem problem, GemmPlan plan) => Cap(spec, problem, plan, new GemmTime(plan, 1)).Seconds;

    /// <summary>Simulates a plan at one clock, and takes its waves to be as many times their bound at the clock that power allows.</summary>
    public static GemmChoice Of(SimtSpec spec, GemmProblem problem, GemmPlan plan, double simulated)
    {
        MultiprocessorRun run = plan.Simulate(simulated);
        (double hertz, double seconds) = Cap(spec, problem, plan, new GemmTime(plan, run.Cycles / simulated / plan.LeastWaveSeconds(simulated)));
        return new GemmChoice(plan, run, hertz, seconds) { IsSettled = hertz == simulated };
    }

    /// <summary>Simulates the plan again, at its clock.</summary>
    public GemmChoice Settle(SimtSpec spec, GemmProblem problem) => Of(spec, problem, Plan, Hertz) with { IsSettled = true };

    private static (double Hertz, double Seconds) Cap(SimtSpec spec, GemmProblem problem, GemmPlan plan, in GemmTime time)
    {
        double hertz = PowerCap.Clock(spec, time, plan.ReadBytes + plan.WrittenBytes, 2 * plan.ExecutedMacs * FittedConstants.RelativeEnergy(problem.Rate.Executed));
        return (hertz, time.SecondsAt(hertz));
    }
}
