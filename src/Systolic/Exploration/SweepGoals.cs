using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Exploration;

/// <summary>What a sweep is after. All are expressions over figures, metrics and parameters, such as "energy * time".</summary>
/// <remarks>Figures: time (s), energy (J), area (mm2), power (W), edp (J s), cycles, utilization, mfu, mbu, bound (s), tokens_per_second, energy_per_token (J), dram_bytes, scratchpad_bytes.</remarks>
public sealed record SweepGoals
{
    private ParsedGoals? _parsed;

    /// <summary>What the Pareto front is over; to be minimised, or maximised when it begins with "max ".</summary>
    public ImmutableArray<string> Objectives { get; init; } = ["time", "energy"];

    /// <summary>What a point must keep to be on the front, such as "area &lt;= 400 mm2".</summary>
    public ImmutableArray<string> Constraints { get; init; } = [];

    /// <summary>Figures of one's own, by name.</summary>
    public ImmutableSortedDictionary<string, string> Metrics { get; init; } = ImmutableSortedDictionary<string, string>.Empty.WithComparers(StringComparer.Ordinal);

    /// <summary>The expressions; available once <see cref="For"/> was called.</summary>
    internal ParsedGoals Parsed => _parsed ?? throw new InvalidOperationException("These goals belong to no sweep yet.");

    /// <summary>The goals with their expressions read for the parameters of a space.</summary>
    /// <exception cref="InvalidDocumentException">Expressions that cannot be read; each is named.</exception>
    internal SweepGoals For(DesignSpace space)
    {
        var problems = new List<string>();
        string[] simple = [.. SweepFigures.Names, .. space.Parameters.Select(parameter => parameter.Name)];
        problems.AddRange(Metrics.Keys.Where(simple.Contains).Select(name => $"metrics.{name}: found a name that a figure or parameter has already, expected a new one"));
        string[] known = [.. simple, .. Metrics.Keys];
        var parsed = new ParsedGoals(
            Metrics.ToImmutableDictionary(metric => metric.Key, metric => Read(problems, $"metrics.{metric.Key}", () => Expression.Parse(metric.Value, simple))),
            [.. Objectives.Select((text, i) => Read(problems, FormattableString.Invariant($"objectives[{i}]"), () => Objective.Parse(text, known)))],
            [.. Constraints.Select((text, i) => Read(problems, FormattableString.Invariant($"constraints[{i}]"), () => Constraint.Parse(text, known)))]);
        if (Objectives.IsEmpty)
        {
            problems.Add("objectives: found none, expected at least one, such as \"time\"");
        }

        return problems.Count == 0 ? this with { _parsed = parsed } : throw new InvalidDocumentException(problems);
    }

    private static T Read<T>(List<string> problems, string path, Func<T> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (FormatException refused)
        {
            problems.Add($"{path}: {refused.Message}");
            return null!;
        }
    }
}

/// <summary>Goals whose expressions were read.</summary>
internal sealed record ParsedGoals(ImmutableDictionary<string, Expression> Metrics, ImmutableArray<Objective> Objectives, ImmutableArray<Constraint> Constraints);

/// <summary>An expression to minimise, or to maximise.</summary>
internal sealed record Objective(string Text, Expression Value, bool Maximize)
{
    private const string Max = "max ", Min = "min ";

    public static Objective Parse(string text, string[] known)
    {
        bool maximize = text.StartsWith(Max, StringComparison.Ordinal);
        return new(text, Expression.Parse(maximize || text.StartsWith(Min, StringComparison.Ordinal) ? text[Max.Length..] : text, known), maximize);
    }

    /// <summary>What is minimised.</summary>
    public double Of(SweepRow row) => Maximize ? -Value.Value(name => row[name]) : Value.Value(name => row[name]);
}

/// <summary>One side at most the other.</summary>
internal sealed record Constraint(Expression Least, Expression Most)
{
    public static Constraint Parse(string text, string[] known) => (text.Split("<="), text.Split(">=")) switch
    {
        ([var least, var most], [_]) => new(Expression.Parse(least, known), Expression.Parse(most, known)),
        ([_], [var most, var least]) => new(Expression.Parse(least, known), Expression.Parse(most, known)),
        _ => throw new FormatException($"found {UnitText.Quote(text)}, expected two expressions with <= or >= between them, such as \"area <= 400 mm2\""),
    };

    /// <summary>By how much it is broken, as a share of the larger side; negative by how much it is kept.</summary>
    public double Excess(SweepRow row)
    {
        double least = Least.Value(name => row[name]), most = Most.Value(name => row[name]);
        return double.IsNaN(least) || double.IsNaN(most) ? double.PositiveInfinity : least == most ? 0 : (least - most) / Math.Max(Math.Abs(least), Math.Abs(most));
    }
}
