using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Simulation;

/// <summary>One program as one core ran it.</summary>
/// <param name="Time">From the first instruction's issue to the last completion.</param>
/// <param name="Counts">Events and bytes.</param>
/// <param name="Busy">Busy time of <see cref="Simulator.Engines"/>.</param>
/// <param name="Stack">Causes along the critical path; sums to <paramref name="Time"/>.</param>
/// <param name="Spans">A span per instruction and transfer; empty unless asked for.</param>
public sealed record CoreRun(SimTime Time, ActivityCounts Counts, ImmutableArray<SimTime> Busy, CycleStack Stack, ImmutableArray<Span> Spans)
{
    /// <summary>The program's buffers and how many copies of each were ever written.</summary>
    public ImmutableArray<BufferUse> Buffers { get; init; } = [];
}
