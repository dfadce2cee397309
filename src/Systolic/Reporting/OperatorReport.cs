using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>One operator of a run with its cycles and its energy; figures are of one execution unless named total.</summary>
/// <param name="Run">What the machine recorded.</param>
/// <param name="Cycles">Duration in cycles of the machine's clock, a part of a cycle counted whole.</param>
/// <param name="EnergyBreakdown">Energy by component, idle and active power over its time included.</param>
public sealed record OperatorReport(OperatorRun Run, Cycles Cycles, EnergyBreakdown EnergyBreakdown)
{
    /// <summary>Energy of one execution.</summary>
    public Energy Energy => EnergyBreakdown.Total;

    /// <summary>Time of all executions.</summary>
    public SimTime TotalTime => Run.Time * Run.Repeat;

    /// <summary>Energy of all executions.</summary>
    public Energy TotalEnergy => Energy * Run.Repeat;

    internal static OperatorReport Of(OperatorRun run, RunTrace trace, MachineProfile machine, EnergyReferenceTable prices) => new(
        run, machine.Clock.EdgeAtOrAfter(run.Time), prices.Price(run.Counts, run.Time, machine.Energy, run.Voltage, IdleShare(run, trace)));

    /// <summary>Mean share of the time for which an engine did not work, transfers left out.</summary>
    private static double IdleShare(OperatorRun run, RunTrace trace)
    {
        double[] busy = [.. trace.Engines.Zip(run.Busy)
            .Where(pair => pair.First.Name != "dma")
            .Select(pair => pair.Second.Seconds / (pair.First.Instances * run.Time.Seconds))];
        return run.Time > SimTime.Zero && busy.Length > 0 ? 1 - Math.Min(1, busy.Average()) : 0;
    }
}
