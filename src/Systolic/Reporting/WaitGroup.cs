using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>Waits of like instructions for like causes, over one execution of an operator.</summary>
/// <param name="Operator">The operator.</param>
/// <param name="Track">The engine or queue that waited.</param>
/// <param name="Name">What waited there, such as "MatMul".</param>
/// <param name="Cause">What for.</param>
/// <param name="ForTrack">The engine or queue of what it waited for; empty where that is no other instruction.</param>
/// <param name="ForName">The instruction that it waited for.</param>
/// <param name="Count">How many waited.</param>
/// <param name="OnPath">How many of those lie on the critical path.</param>
/// <param name="Total">For how long, together.</param>
/// <param name="Longest">The one that waited longest; the first of equals.</param>
public sealed record WaitGroup(string Operator, string Track, string Name, WaitCause Cause, string ForTrack, string ForName, int Count, int OnPath, SimTime Total, Span Longest)
{
    /// <summary>The waits of spans: those on the critical path first, then by time together.</summary>
    internal static ImmutableArray<WaitGroup> Of(ImmutableArray<Span> spans) =>
    [
        .. spans.Where(span => span.Wait is not null)
            .GroupBy(span => (span.Operator, span.Track, span.Name, span.Wait!.Cause, ForTrack: span.Wait.Track, ForName: span.Wait.Name))
            .Select(group => new WaitGroup(
                group.Key.Operator, group.Key.Track, group.Key.Name, group.Key.Cause, group.Key.ForTrack, group.Key.ForName, group.Count(),
                group.Count(span => span.OnPath > SimTime.Zero), group.Aggregate(SimTime.Zero, (sum, span) => sum + span.Wait!.Time), group.MaxBy(span => span.Wait!.Time)))
            .OrderByDescending(group => group.OnPath > 0)
            .ThenByDescending(group => group.Total),
    ];
}
