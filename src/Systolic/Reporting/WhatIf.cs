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

    /// <summary>Of a stack and the times with free parts: the parts that say anything, that with the largest gain first.</summary>
    internal static ImmutableArray<WhatIf> Rank(CycleStack stack, IReadOnlyDictionary<MachinePart, SimTime> simulated, bool hasDma)
    {
        SimTime now = stack.Total;
        return
        [
            .. Enum.GetValues<MachinePart>()
                .Where(part => hasDma || part != MachinePart.DmaEngines)
                .Select(part => new WhatIf(part, now, OnPathOf(stack, part), simulated.TryGetValue(part, out SimTime time) ? time : null))
                .Where(found => found.OnPath > SimTime.Zero || (found.Simulated is { } time && time != now))
                .OrderByDescending(found => found.Gain),
        ];
    }

    private static SimTime OnPathOf(CycleStack stack, MachinePart part)
    {
        var sum = SimTime.Zero;
        foreach (CycleComponent component in part.Components())
        {
            sum += stack[component];
        }

        return sum;
    }
}
