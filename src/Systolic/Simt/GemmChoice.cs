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

    /// <summary>The least time that the plan can take, at the clock that power then allows. A plan that takes more cycles runs at a higher clock, but never for less time.</summary>
    public static double Least(SimtSpec spec, GemmProblem problem, GemmPlan plan)
    {
        var least = new GemmTime(plan);
        return least.SecondsAt(Clock(spec, problem, plan, least));
    }

    /// <summary>Simulates a plan at the highest clock and takes its cycles to be the same at the one that power allows.</summary>
    public static GemmChoice Of(SimtSpec spec, GemmProblem problem, GemmPlan plan)
    {
        MultiprocessorRun run = plan.Simulate(spec.MaximumClock.Hertz);
        var time = new GemmTime(plan, run.Cycles);
        double hertz = Clock(spec, problem, plan, time);
        return new GemmChoice(plan, run, hertz, time.SecondsAt(hertz));
    }

    /// <summary>The same with a second simulation, at the clock that power seemed to allow: slower cycles wait fewer times for memory.</summary>
    public GemmChoice Refine(SimtSpec spec, GemmProblem problem)
    {
        double maximum = spec.MaximumClock.Hertz;
        if (Hertz >= maximum)
        {
            return this;
        }

        MultiprocessorRun slower = Plan.Simulate(Hertz);
        var time = new GemmTime(Plan, Run.Cycles, maximum, (Run.Cycles - slower.Cycles) / (maximum - Hertz));
        double hertz = Clock(spec, problem, Plan, time);
        return new GemmChoice(Plan, slower, hertz, time.SecondsAt(hertz));
    }

    private static double Clock(SimtSpec spec, GemmProblem problem, GemmPlan plan, in GemmTime time) =>
        PowerCap.Clock(spec, time, plan.ReadBytes + plan.WrittenBytes, 2 * plan.ExecutedMacs * FittedConstants.RelativeEnergy(problem.Rate.Executed));
}
