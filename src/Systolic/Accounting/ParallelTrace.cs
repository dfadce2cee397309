using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Accounting;

/// <summary>An exchange between chips as it ran, on one chip of the stage that ended last.</summary>
/// <param name="Name">What is exchanged.</param>
/// <param name="Function">"all-gather", "reduce-scatter", "all-reduce", "all-to-all" or "send".</param>
/// <param name="Chips">Participants.</param>
/// <param name="Algorithm">How, such as "ring".</param>
/// <param name="Bytes">The whole tensor; of an all-to-all, what one chip holds.</param>
/// <param name="Sent">Bytes that one chip puts on its links.</param>
/// <param name="Time">Duration of one exchange.</param>
/// <param name="Repeat">How often it ran.</param>
/// <param name="Exposed">The part of all that delayed the step.</param>
public sealed record ExchangeRun(string Name, string Function, int Chips, string Algorithm, Bytes Bytes, Bytes Sent, SimTime Time, long Repeat, SimTime Exposed)
{
    /// <summary>The part of all behind which something else ran.</summary>
    public SimTime Hidden => (Time * Repeat) - Exposed;
}

/// <summary>What dividing a workload over chips cost.</summary>
/// <param name="Plan">The plan in a line.</param>
/// <param name="Chips">Chips in all.</param>
/// <param name="Exchanges">Exchanges in execution order.</param>
/// <param name="Bubble">Time for which the stage that ended last had no micro-batch.</param>
public sealed record ParallelTrace(string Plan, long Chips, ImmutableArray<ExchangeRun> Exchanges, SimTime Bubble);
