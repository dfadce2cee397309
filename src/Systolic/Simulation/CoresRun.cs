using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Units;

namespace Systolic.Simulation;

/// <summary>Programs as cores ran them together.</summary>
/// <param name="Stacks">Causes along the critical path through all cores, by part of the programs; they sum to the time until the last core is done.</param>
/// <param name="Cores">What each core did, by part.</param>
/// <param name="Spans">A span per instruction and transfer of each core, with what it waited for and its part of the critical path; empty unless asked for.</param>
internal sealed record CoresRun(ImmutableArray<CycleStack> Stacks, ImmutableArray<PartRun[]> Cores, ImmutableArray<ImmutableArray<Span>> Spans)
{
    /// <summary>Until the last core is done.</summary>
    public SimTime Time => Total(Stacks);

    /// <summary>What a finished simulation found.</summary>
    public static CoresRun Of(SimulatedCore[] cores, Accelerator machine, ImmutableArray<ImmutableArray<Span>> spans)
    {
        var path = new CriticalPath(cores, machine, record: spans.Any(core => !core.IsEmpty));
        CycleStack[] stacks = path.Attribute();
        SimTime computed = Total(stacks);
        var end = new SimTime(cores.Max(core => core.Units.Memory.Finish(computed.Value)));
        stacks[^1].Add(CycleComponent.MemoryBandwidth, end - computed);
        return new CoresRun([.. stacks], [.. cores.Select(core => core.Parts(end, stacks))], [.. spans.Select((core, i) => core.IsEmpty ? core : new SpanNotes(cores[i], i, machine, path).On(core))]);
    }

    private static SimTime Total(IEnumerable<CycleStack> stacks) => stacks.Aggregate(SimTime.Zero, (sum, stack) => sum + stack.Total);
}
