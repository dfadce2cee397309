using System.Collections.Immutable;

namespace Systolic.Exploration;

/// <summary>A dimension of a <see cref="DesignSpace"/>: the values that it takes and the places of the machine or workload that they are written to.</summary>
/// <remarks>
/// A path is that of a machine file, such as "tensorEngine.rows" or "links.levels[0].bandwidth"; or "machine" (a preset or file); or "workload." and one of model, phase,
/// tokens, context, batch, layers. A parameter without a path is only a name in tied expressions.
/// </remarks>
public sealed record DesignParameter
{
    /// <summary>The most values of one parameter.</summary>
    public const int MostValues = 10_000;

    /// <summary>A parameter of given values, written to the path of its name.</summary>
    /// <param name="name">Its name, in tables and expressions.</param>
    /// <param name="values">Its values.</param>
    public DesignParameter(string name, params ImmutableArray<DesignValue> values)
    {
        (Name, Values, Paths) = (name, values, [name]);
        if (values.IsDefaultOrEmpty || values.Length > MostValues || values.Distinct().Count() < values.Length)
        {
            throw new ArgumentException(FormattableString.Invariant($"{name}: found {(values.IsDefault ? 0 : values.Length)} values, expected 1 to {MostValues} different ones."), nameof(values));
        }
    }

    /// <summary>Its name, in tables and expressions.</summary>
    public string Name { get; }

    /// <summary>Its values, in the order in which they are tried.</summary>
    public ImmutableArray<DesignValue> Values { get; }

    /// <summary>Where a value is written to.</summary>
    public ImmutableArray<string> Paths { get; init; }

    /// <summary>Its values are numbers, so that those next to each other are alike; words are not.</summary>
    internal bool HasOrder => !double.IsNaN(Values[0].Number);

    /// <summary>The same, written to other places than that of its name; to none when no path is given.</summary>
    public DesignParameter To(params ImmutableArray<string> paths) => this with { Paths = paths };

    /// <summary>Values at equal distances.</summary>
    /// <param name="name">Its name and path.</param>
    /// <param name="from">The first value; its unit is that of all.</param>
    /// <param name="to">The last value.</param>
    /// <param name="count">How many, at least 2. Whole numbers without a unit are rounded to whole ones, and equal ones kept once.</param>
    public static DesignParameter Linear(string name, DesignValue from, DesignValue to, int count) =>
        Range(name, from, to, count, share => from.Number + (share * (to.Number - from.Number)));

    /// <summary>Values at equal ratios.</summary>
    /// <inheritdoc cref="Linear"/>
    public static DesignParameter Logarithmic(string name, DesignValue from, DesignValue to, int count) => from.Number > 0 && to.Number > 0
        ? Range(name, from, to, count, share => from.Number * Math.Pow(to.Number / from.Number, share))
        : throw new ArgumentException($"{name}: found {from} to {to}, expected positive numbers for equal ratios.", nameof(from));

    /// <summary>Values from <paramref name="from"/> in steps, up to <paramref name="to"/>.</summary>
    public static DesignParameter Steps(string name, DesignValue from, DesignValue to, DesignValue step)
    {
        double count = step.Number > 0 ? Math.Floor(((to.Number - from.Number) / step.Number) + 1e-9) + 1 : double.NaN;
        return count is >= 1 and <= MostValues
            ? new(name, [.. Enumerable.Range(0, (int)count).Select(i => DesignValue.Of(from.Number + (i * step.Number), from.Unit))])
            : throw new ArgumentException(FormattableString.Invariant($"{name}: found {from} to {to} in steps of {step}, expected 1 to {MostValues} values."), nameof(step));
    }

    private static DesignParameter Range(string name, DesignValue from, DesignValue to, int count, Func<double, double> at)
    {
        if (count is < 2 or > MostValues || !double.IsFinite(from.Number) || !double.IsFinite(to.Number) || from.Unit.Length == 0 != (to.Unit.Length == 0))
        {
            throw new ArgumentException(FormattableString.Invariant($"{name}: found {count} values from {from} to {to}, expected 2 to {MostValues} values between two numbers, both with a unit or both without."), nameof(count));
        }

        bool whole = from.Unit.Length == 0 && double.IsInteger(from.Number) && double.IsInteger(to.Number);
        IEnumerable<double> numbers = Enumerable.Range(0, count).Select(i => at(i / (count - 1.0)));
        return new(name, [.. numbers.Select(number => DesignValue.Of(whole ? Math.Round(number) : number, from.Unit)).Distinct()]);
    }
}
