using System.Collections.Immutable;
using System.Globalization;

namespace Systolic.Units;

/// <summary>One row of a <see cref="CsvTable"/>.</summary>
/// <remarks>A read that fails records the problem and returns a neutral value; <see cref="CsvTable.Finish"/> throws when anything was recorded.</remarks>
internal sealed class CsvRow(CsvTable table, int line, ImmutableArray<string> fields)
{
    /// <summary>The line of the file on which the row begins, from 1.</summary>
    public int Line => line;

    /// <summary>The field of <paramref name="column"/>, which may be empty.</summary>
    public string Optional(string column) => fields[table.Columns.IndexOf(column)];

    /// <summary>The field of <paramref name="column"/>, which must not be empty.</summary>
    public string Text(string column)
    {
        string text = Optional(column);
        if (text.Length == 0)
        {
            Refuse(column, "a text");
        }

        return text;
    }

    /// <summary>A whole number within bounds; <paramref name="minimum"/> when refused.</summary>
    public long Integer(string column, long minimum, long maximum)
    {
        if (long.TryParse(Optional(column), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) && number >= minimum && number <= maximum)
        {
            return number;
        }

        Refuse(column, string.Create(CultureInfo.InvariantCulture, $"a whole number from {minimum} to {maximum}"));
        return minimum;
    }

    /// <summary>A number within bounds; NaN when refused.</summary>
    public double Number(string column, double minimum, double maximum)
    {
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (double.TryParse(Optional(column), Style, CultureInfo.InvariantCulture, out double number) && number >= minimum && number <= maximum)
        {
            return number;
        }

        Refuse(column, string.Create(CultureInfo.InvariantCulture, $"a number from {minimum} to {maximum}"));
        return double.NaN;
    }

    /// <summary>The index of the field in <paramref name="choices"/>; -1 when refused.</summary>
    public int Choice(string column, ReadOnlySpan<string> choices)
    {
        int index = choices.IndexOf(Optional(column));
        if (index < 0)
        {
            Refuse(column, "one of: " + string.Join(", ", choices));
        }

        return index;
    }

    /// <summary>Records a problem of one column.</summary>
    public void Problem(string column, string message) => table.Problem(line, $", column {column}: {message}");

    private void Refuse(string column, string expected) => Problem(column, $"found {UnitText.Quote(Optional(column))}, expected {expected}");
}
