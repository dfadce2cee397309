using System.Collections.Immutable;
using Systolic.Accounting;

namespace Systolic.Exploration;

/// <summary>What a sweep found, in an order that depends on nothing but the sweep.</summary>
/// <param name="Space">Where it looked.</param>
/// <param name="Goals">What it was after.</param>
/// <param name="Rows">A row per point, in the order of the search.</param>
/// <param name="Pruned">Rows that were not run because their lower bound is dominated.</param>
public sealed record SweepResult(DesignSpace Space, SweepGoals Goals, ImmutableArray<SweepRow> Rows, long Pruned)
{
    private readonly Lazy<ParetoFront> _front = new(() => ParetoFront.Of(Rows));

    /// <summary>The best rows.</summary>
    public ParetoFront Front => _front.Value;

    /// <summary>The parameters as columns: plain numbers as such, quantities and words as texts.</summary>
    public ImmutableArray<SweepColumn> Parameters => [.. Space.Parameters.Select((parameter, i) => parameter.Values.All(value => value.Unit.Length == 0 && !double.IsNaN(value.Number))
        ? new SweepColumn(parameter.Name, row => row.Point.Values[i].Number, null)
        : new SweepColumn(parameter.Name, null, row => row.Point.Values[i].Text))];

    /// <summary>The objectives as columns: their values as they are, not negated where they are maximised.</summary>
    public ImmutableArray<SweepColumn> Objectives =>
        [.. Goals.Parsed.Objectives.Select(objective => SweepFigures.All.FirstOrDefault(figure => figure.Name == objective.Value.Text)?.ToColumn()
            ?? new SweepColumn(objective.Value.Text, row => objective.Maximize ? -objective.Of(row) : objective.Of(row), null))];

    /// <summary>The columns of the result as a table: point, parameters, figures with their unit, metrics, parts of the cycle stack that occur, and whether a row is feasible and on the front.</summary>
    public ImmutableArray<SweepColumn> Columns()
    {
        HashSet<SweepRow> front = new(Front.Rows, ReferenceEqualityComparer.Instance);
        return
        [
            new("point", row => row.Point.Number, null),
            .. Parameters,
            .. SweepFigures.All.Select(figure => figure.ToColumn()),
            .. Goals.Metrics.Keys.Select(name => new SweepColumn(name, row => row[name], null)),
            .. Enum.GetValues<CycleComponent>().Where(component => Rows.Any(row => row.Spent(component).Value > 0))
                .Select(component => new SweepColumn($"stack_{SweepFigures.StackNames[(int)component]}_s", row => row.HasRun ? row.Spent(component).Seconds : double.NaN, null) { Unit = "s" }),
            new("feasible", row => row.IsFeasible ? 1 : 0, null),
            new("front", row => front.Contains(row) ? 1 : 0, null),
            new("reason", null, row => row.Reason),
        ];
    }
}

/// <summary>A column of a sweep's result: numbers, or texts.</summary>
/// <param name="Name">Its name, with the unit of its numbers at the end.</param>
/// <param name="Number">The number of a row, not a number where there is none; null for a column of texts.</param>
/// <param name="Text">The text of a row; null for a column of numbers.</param>
public sealed record SweepColumn(string Name, Func<SweepRow, double>? Number, Func<SweepRow, string?>? Text)
{
    /// <summary>The unit of its numbers; empty for ratios and counts.</summary>
    public string Unit { get; init; } = "";
}
