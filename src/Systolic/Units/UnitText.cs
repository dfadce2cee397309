using System.Globalization;

namespace Systolic.Units;

/// <summary>Reads and writes quantities as a number, a space and a unit, in the invariant culture.</summary>
internal static class UnitText
{
    /// <summary>Splits <paramref name="text"/> into number and unit and scales the number by the unit's factor.</summary>
    /// <exception cref="FormatException">The number or the unit is missing or unknown, or the number is negative or beyond a double.</exception>
    public static double Parse(string text, string quantity, ReadOnlySpan<(string Unit, double Factor)> units)
    {
        ArgumentNullException.ThrowIfNull(text);
        ReadOnlySpan<char> trimmed = text.AsSpan().Trim();
        int digits = 0;
        while (digits < trimmed.Length && (char.IsAsciiDigit(trimmed[digits]) || trimmed[digits] is '.' or '-' or '+'
            || (trimmed[digits] is 'e' or 'E' && digits + 1 < trimmed.Length && (char.IsAsciiDigit(trimmed[digits + 1]) || trimmed[digits + 1] is '-' or '+'))))
        {
            digits++;
        }

        ReadOnlySpan<char> unit = trimmed[digits..].Trim();
        if (double.TryParse(trimmed[..digits], NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number >= 0)
        {
            foreach ((string name, double factor) in units)
            {
                if (unit.SequenceEqual(name) && double.IsFinite(number * factor))
                {
                    return number * factor;
                }
            }
        }

        throw new FormatException($"found {Quote(text)}, expected {quantity} with a unit, such as \"{Example(units)}\"");
    }

    /// <summary>Writes with the largest unit that leaves at least one in front of the decimal point, four significant digits.</summary>
    public static string Format(double value, ReadOnlySpan<(string Unit, double Factor)> units)
    {
        (string unit, double factor) = units[0];
        foreach ((string name, double scale) in units)
        {
            if (Math.Abs(value) >= scale && scale >= factor)
            {
                (unit, factor) = (name, scale);
            }
        }

        return (value / factor).ToString("G4", CultureInfo.InvariantCulture) + " " + unit;
    }

    /// <summary>Rounds to a whole count, refusing what a <see cref="long"/> cannot hold.</summary>
    public static long ToCount(double value, string quantity) =>
        Math.Abs(value) < 9.2e18
            ? checked((long)Math.Round(value))
            : throw new OverflowException($"{quantity} {value.ToString("G4", CultureInfo.InvariantCulture)} exceeds 64 bits.");

    /// <summary>At most 60 characters of <paramref name="text"/> in quotes, for messages.</summary>
    public static string Quote(string text) => text.Length <= 60 ? $"\"{text}\"" : $"\"{text[..57]}...\"";

    private static string Example(ReadOnlySpan<(string Unit, double Factor)> units) => "192 " + units[^1].Unit;
}
