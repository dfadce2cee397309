using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>How long a run or an operator would take if one part of the machine were infinitely fast.</summary>
/// <param name="Part">The part.</param>
/// <param name="Now">The time as it is.</param>
/// <param name="OnPath">Time of the critical path that is spent on the part.</param>
/// <param name="Simulated">The time when the same work was simulated again, or priced again, with the part made free; null where it was not.</param>
public sealed record WhatIf(MachinePart Part, SimTime Now, SimTime OnPath, SimTime? Simulated)
{
    /// <summary>At best about this: the critical path without its stretches on the part. Another path may then be longer.</summary>
    /// <remarks>
    /// Exact as a bound while transfers keep their order and their pace; without contention they may be faster still. On a SIMT machine, whose activities
    /// overlap by a formula, it is the rest of the cycle stack.
    /// </remarks>
    public SimTime Bound => Now - OnPath;

    /// <summary>The simulated time, or else the bound.</summary>
    public SimTime Time => Simulated ?? Bound;

    /// <summary>Share of the time that would be saved; negative where a free part makes things slower.</summary>
    public double Gain => Now > SimTime.Zero ? (Now - Time).Seconds / Now.Seconds : 0;

    /// <summary>Bounds of a run, that with the largest gain first.</summary>
    public static ImmutableArray<WhatIf> Of(RunReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return Rank(report, report.CycleStack);
    }

    /// <summary>Of a stack and the times with free parts: the parts that say anything, that with the largest gain first.</summary>
    /// <remarks>Every run prints it, so it is written without generic code over values, which would be compiled at each start.</remarks>
    internal static ImmutableArray<WhatIf> Rank(RunReport report, CycleStack stack, Func<MachinePart, SimTime?>? simulated = null)
    {
        bool hasDma = false;
        foreach (EngineUtilization engine in report.Utilization)
        {
            hasDma |= engine.Engine == "dma";
        }

        var found = new List<WhatIf>();
        for (MachinePart part = 0; part <= MachinePart.Launch; part++)
        {
            var one = new WhatIf(part, stack.Total, OnPathOf(stack, part), simulated?.Invoke(part));
            if ((hasDma || part != MachinePart.DmaEngines) && (one.OnPath > SimTime.Zero || one.Time != one.Now))
            {
                found.Add(one);
            }
        }

        found.Sort((left, right) => left.Gain != right.Gain ? right.Gain.CompareTo(left.Gain) : left.Part - right.Part);
        return [.. found];
    }

    private static SimTime OnPathOf(CycleStack stack, MachinePart part)
    {
        SimTime sum = SimTime.Zero;
        foreach (CycleComponent component in part.Components())
        {
            sum += stack[component];
        }

        return sum;
    }
}
