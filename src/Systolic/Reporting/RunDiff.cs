using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>The unit of a <see cref="DiffSection"/>.</summary>
public enum DiffUnit
{
    /// <summary>Seconds.</summary>
    Seconds,

    /// <summary>Joules.</summary>
    Joules,

    /// <summary>Bytes.</summary>
    Bytes,
}

/// <summary>One amount in two runs.</summary>
/// <param name="Name">What it is an amount of.</param>
/// <param name="Before">The amount in the first run; null where that has no such thing.</param>
/// <param name="After">The amount in the second run; null where that has no such thing.</param>
public sealed record DiffRow(string Name, double? Before, double? After)
{
    /// <summary>What it divides into: an operator's cycle stack; null where that is not known.</summary>
    public DiffSection? Parts { get; init; }

    /// <summary>The part that changed most, with its change; empty where there is none.</summary>
    public string Note => Parts?.Rows.FirstOrDefault() is { } row ? $"{row.Name} {Parts.ChangeText(row)}" : "";

    /// <summary>The second amount less the first; what is missing counts as nothing.</summary>
    public double Change => (After ?? 0) - (Before ?? 0);

    /// <summary>The second amount over the first; null where one is missing or the first is nothing.</summary>
    public double? Ratio => Before > 0 && After is { } after ? after / Before : null;
}

/// <summary>Amounts of one kind in two runs, that with the largest change first; what did not change is left out.</summary>
/// <param name="Title">What they are, such as "operators by time".</param>
/// <param name="Unit">Their unit.</param>
/// <param name="Rows">The amounts.</param>
public sealed record DiffSection(string Title, DiffUnit Unit, ImmutableArray<DiffRow> Rows)
{
    /// <summary>Share of an amount below which a change is that of rounding.</summary>
    private const double Rounding = 1e-9;

    /// <summary>An amount or a change with its unit, such as "1.5 ms"; "-" for none.</summary>
    public string Text(double? amount) => amount is not { } value ? "-" : (value < 0 ? "-" : "") + Unit switch
    {
        DiffUnit.Seconds => UnitText.Format(Math.Abs(value), [("fs", 1e-15), ("ps", 1e-12), ("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0)]),
        DiffUnit.Joules => Energy.FromJoules(Math.Abs(value)).ToString(),
        _ => new Bytes((long)Math.Abs(value)).ToString(),
    };

    /// <summary>A change with its sign, such as "+1.5 ms".</summary>
    public string ChangeText(DiffRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return (row.Change > 0 ? "+" : "") + Text(row.Change);
    }

    /// <summary>How a row changed: "new", "gone", or the quotient, such as "0.93x".</summary>
    public static string RatioText(DiffRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return row.Before is null ? "new" : row.After is null ? "gone" : row.Ratio is { } ratio ? FigureText.Times(ratio) : "";
    }

    internal static DiffSection Of(string title, DiffUnit unit, IEnumerable<DiffRow> rows) => new(
        title, unit, [.. rows.Where(row => row.Before is null || row.After is null || Math.Abs(row.Change) > Rounding * row.Before).OrderByDescending(row => Math.Abs(row.Change))]);
}

/// <summary>What changed between two runs, ranked by how much.</summary>
public sealed record RunDiff
{
    private RunDiff(RunSummary before, RunSummary after)
    {
        (Before, After) = (before, after);
        (OperatorSummary? Before, OperatorSummary? After)[] operators = [.. Match(before.Operators, after.Operators, op => op.Name)];
        Sections =
        [
            DiffSection.Of("operators by time", DiffUnit.Seconds, operators.Select(op => new DiffRow(Name(op), op.Before?.Seconds, op.After?.Seconds) { Parts = Stack(op) })),
            DiffSection.Of("operators by energy", DiffUnit.Joules, operators.Select(op => new DiffRow(Name(op), op.Before?.Joules, op.After?.Joules))),
            Section("cycle stack", DiffUnit.Seconds, before.Stack, after.Stack),
            Section("energy by component", DiffUnit.Joules, before.Energy, after.Energy),
            Section("busy time of engines", DiffUnit.Seconds, before.Engines, after.Engines),
            Section("bytes by memory level", DiffUnit.Bytes, before.Levels, after.Levels),
        ];
    }

    /// <summary>The first run.</summary>
    public RunSummary Before { get; }

    /// <summary>The second run.</summary>
    public RunSummary After { get; }

    /// <summary>What changed, by operator, component, engine and memory level.</summary>
    public ImmutableArray<DiffSection> Sections { get; }

    /// <summary>Time and energy of the whole runs.</summary>
    public ImmutableArray<DiffSection> Totals =>
    [
        new("time", DiffUnit.Seconds, [new DiffRow("time", Before.Seconds, After.Seconds)]),
        new("energy", DiffUnit.Joules, [new DiffRow("energy", Before.Joules, After.Joules)]),
    ];

    /// <summary>The result in a sentence.</summary>
    public string Summary => string.Join(", ", Totals.Select(total =>
        $"{total.Title} {total.Text(total.Rows[0].Before)} to {total.Text(total.Rows[0].After)} ({total.ChangeText(total.Rows[0])}, {DiffSection.RatioText(total.Rows[0])})"));

    /// <summary>Holds two runs against each other; operators are matched by name.</summary>
    public static RunDiff Between(RunSummary before, RunSummary after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        return new(before, after);
    }

    /// <summary>Holds two runs against each other.</summary>
    public static RunDiff Between(RunReport before, RunReport after) => Between(RunSummary.Of(before), RunSummary.Of(after));

    private static string Name((OperatorSummary? Before, OperatorSummary? After) op) => (op.Before ?? op.After)!.Name;

    private static DiffSection Stack((OperatorSummary? Before, OperatorSummary? After) op) => Section("cycle stack", DiffUnit.Seconds, op.Before?.Stack ?? [], op.After?.Stack ?? []);

    private static DiffSection Section(string title, DiffUnit unit, ImmutableArray<Amount> before, ImmutableArray<Amount> after) =>
        DiffSection.Of(title, unit, Match<Amount?>([.. before], [.. after], amount => amount!.Value.Name).Select(pair => new DiffRow((pair.Before ?? pair.After)!.Value.Name, pair.Before?.Value ?? 0, pair.After?.Value ?? 0)));

    /// <summary>Pairs by name, in the order of the first list, then those that only the second has.</summary>
    private static IEnumerable<(T? Before, T? After)> Match<T>(ImmutableArray<T> before, ImmutableArray<T> after, Func<T, string> name)
    {
        var others = after.ToDictionary(name, StringComparer.Ordinal);
        foreach (T one in before)
        {
            yield return (one, others.Remove(name(one), out T? other) ? other : default);
        }

        foreach (T other in after.Where(other => others.ContainsKey(name(other))))
        {
            yield return (default, other);
        }
    }
}
