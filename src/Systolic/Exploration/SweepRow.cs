using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Exploration;

/// <summary>What a sweep found at one point: the figures of the run, or why there was none.</summary>
public sealed record SweepRow
{
    private readonly SweepGoals _goals;

    internal SweepRow(DesignPoint point, SweepGoals goals, PointOutcome outcome)
    {
        (Point, _goals, Outcome) = (point, goals, outcome);
        Objectives = HasRun ? [.. goals.Parsed.Objectives.Select(objective => objective.Of(this))] : [];
        Excesses = HasRun ? [.. goals.Parsed.Constraints.Select(constraint => constraint.Excess(this))] : [];
        Violation = !HasRun || Array.Exists(Objectives, double.IsNaN) ? double.PositiveInfinity : Excesses.Sum(excess => Math.Max(0, excess));
    }

    /// <summary>The point.</summary>
    public DesignPoint Point { get; }

    /// <summary>Why it was not run, such as a workload that does not fit; null for a run.</summary>
    public string? Reason => Outcome.Reason;

    /// <summary>It was run.</summary>
    public bool HasRun => Outcome.Reason is null;

    /// <summary>It was run, and keeps all constraints.</summary>
    public bool IsFeasible => Violation == 0;

    /// <summary>A figure, a metric or a numeric parameter by name, in its base unit; not a number where there is none.</summary>
    public double this[string name] =>
        SweepFigures.Names.IndexOf(name) is >= 0 and var figure ? (HasRun ? Outcome.Figures[figure] : double.NaN)
        : _goals.Parsed.Metrics.TryGetValue(name, out Expression? metric) ? metric.Value(inner => this[inner])
        : Point.Space.Parameters.FirstOrDefault(parameter => parameter.Name == name) is { } found ? Point.Values[Point.Space.Parameters.IndexOf(found)].Number
        : double.NaN;

    /// <summary>Time of the run that was spent on <paramref name="component"/>.</summary>
    public SimTime Spent(CycleComponent component) => HasRun ? new SimTime(Outcome.Stack[(int)component]) : SimTime.Zero;

    /// <summary>What is kept in the journal.</summary>
    internal PointOutcome Outcome { get; }

    /// <summary>By how much each constraint is broken, as a share of its limit, or kept where negative; empty without a run.</summary>
    internal double[] Excesses { get; }

    /// <summary>By how much constraints are broken in all; infinite without a run, or without a value of an objective.</summary>
    internal double Violation { get; }

    /// <summary>The objectives, all to be minimised; empty without a run.</summary>
    internal double[] Objectives { get; }
}

/// <summary>What was simulated at a point; nothing in it depends on objectives or constraints.</summary>
/// <param name="Reason">Why there was no run; null for a run.</param>
/// <param name="Figures">As <see cref="SweepFigures.All"/>; empty without a run.</param>
/// <param name="Stack">Femtoseconds by <see cref="CycleComponent"/>; empty without a run.</param>
internal sealed record PointOutcome(string? Reason, ImmutableArray<double> Figures, ImmutableArray<long> Stack)
{
    /// <summary>No run.</summary>
    public static PointOutcome None(string reason) => new(reason, [], []);
}
