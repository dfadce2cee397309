using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>Why a run takes as long as it does: what would help, what lies on the critical path, and what waited longest for what.</summary>
/// <remarks>Path and waits need the run's spans (<see cref="RunTrace.Spans"/>) and are of one execution of each operator on the core that has most of the critical path.</remarks>
public sealed record Explanation
{
    private Explanation(RunReport report, ImmutableArray<WhatIf> whatIfs, ImmutableArray<OperatorExplanation> operators)
    {
        (Report, WhatIfs, Operators) = (report, whatIfs, operators);
        Waits = WaitGroup.Of(report.Trace.Spans);
        Path = PathSegment.Of(report.Trace.Spans);
    }

    /// <summary>The run.</summary>
    public RunReport Report { get; }

    /// <summary>The run with a part of the machine infinitely fast, that with the largest gain first.</summary>
    public ImmutableArray<WhatIf> WhatIfs { get; }

    /// <summary>The same for operators of one kind and shape, the longest first.</summary>
    public ImmutableArray<OperatorExplanation> Operators { get; }

    /// <summary>Who waited for what: waits on the critical path first, then by time together; empty without spans.</summary>
    public ImmutableArray<WaitGroup> Waits { get; }

    /// <summary>The critical path, from engine to engine; empty without spans.</summary>
    public ImmutableArray<PathSegment> Path { get; }

    /// <summary>The critical path by engine and queue, that with most of its time first; instructions and times are summed.</summary>
    public ImmutableArray<PathSegment> PathByTrack =>
    [
        .. Path.GroupBy(segment => segment.Track)
            .Select(group => new PathSegment(
                "", group.Key, group.Sum(segment => segment.Instructions), group.First().Start, group.Aggregate(SimTime.Zero, (sum, segment) => sum + segment.Time)))
            .OrderByDescending(segment => segment.Time),
    ];

    /// <summary>What would help most, in a sentence.</summary>
    public string Summary => WhatIfs.FirstOrDefault() is { Gain: > 0 } best
        ? $"Most would be gained from the {best.Part.Label()}: infinitely fast, the run would take {(best.Simulated is null ? "at best " : "")}{best.Time} instead of {best.Now}."
        : "No single part would make it faster.";

    /// <summary>Explains a run.</summary>
    /// <param name="report">The run.</param>
    /// <param name="freed">Runs of the same workload with a part of the machine made free; without, times with free parts are bounds.</param>
    /// <exception cref="ArgumentException">One of these is of another workload.</exception>
    public static Explanation Of(RunReport report, IReadOnlyDictionary<MachinePart, RunReport>? freed = null)
    {
        ArgumentNullException.ThrowIfNull(report);
        freed ??= ImmutableDictionary<MachinePart, RunReport>.Empty;
        if (freed.Values.FirstOrDefault(run => (run.Model, run.Phase) != (report.Model, report.Phase)) is { } other)
        {
            throw new ArgumentException($"Found a run of {other.Model} ({other.Phase}), expected {report.Model} ({report.Phase}) with a part of the machine free.", nameof(freed));
        }

        var groups = freed.ToDictionary(run => run.Key, run => OperatorGroup.Of(run.Value));
        return new(
            report,
            WhatIf.Rank(report, report.CycleStack, part => freed.TryGetValue(part, out RunReport? run) ? run.Time : null),
            [
                .. OperatorGroup.Of(report).Select(group => new OperatorExplanation(
                    group, WhatIf.Rank(report, group.Stack, part => groups.TryGetValue(part, out var others) ? others.Single(group.IsLike).Time : null))),
            ]);
    }
}

/// <summary>Operators of one kind and shape, and what would make them faster.</summary>
/// <param name="Group">The operators with their cycle stack.</param>
/// <param name="WhatIfs">Their time with a part of the machine infinitely fast, that with the largest gain first.</param>
public sealed record OperatorExplanation(OperatorGroup Group, ImmutableArray<WhatIf> WhatIfs)
{
    /// <summary>The components that took most of their time, with their shares, such as "memory bandwidth 62.0 %, matrix work 21.5 %".</summary>
    /// <param name="most">How many are named.</param>
    public string Stack(int most) => string.Join(", ", Enum.GetValues<CycleComponent>()
        .Where(component => Group.Stack[component] > SimTime.Zero)
        .OrderByDescending(component => Group.Stack[component])
        .Take(most)
        .Select(component => $"{CycleStack.Label(component)} {FigureText.Percent(Group.Stack[component].Seconds / Group.Time.Seconds)}"));
}
