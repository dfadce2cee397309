using System.Globalization;
using Systolic.Units;

namespace Systolic.Exploration;

/// <summary>Quantities of any kind as numbers in their base unit: s, J, W, Hz, B, B/s, mm2.</summary>
internal static class Measure
{
    private static readonly (string Unit, double Factor)[] Units =
    [
        ("fs", 1e-15), ("ps", 1e-12), ("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1),
        ("pJ", 1e-12), ("nJ", 1e-9), ("uJ", 1e-6), ("mJ", 1e-3), ("J", 1), ("kJ", 1e3), ("MJ", 1e6),
        ("mW", 1e-3), ("W", 1), ("kW", 1e3),
        ("Hz", 1), ("kHz", 1e3), ("MHz", 1e6), ("GHz", 1e9),
        ("B", 1), ("KiB", 1024), ("MiB", 1048576), ("GiB", 1073741824), ("TiB", 1099511627776), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12),
        ("B/s", 1), ("kB/s", 1e3), ("MB/s", 1e6), ("GB/s", 1e9), ("TB/s", 1e12), ("GiB/s", 1073741824),
        ("mm2", 1),
    ];

    /// <summary>The factor of <paramref name="unit"/>; null for an unknown one.</summary>
    public static double? Factor(ReadOnlySpan<char> unit)
    {
        foreach ((string name, double factor) in Units)
        {
            if (unit.SequenceEqual(name))
            {
                return factor;
            }
        }

        return null;
    }

    /// <summary>Number and unit of "24 MiB", scaled; null when it is none.</summary>
    public static (double Value, string Unit)? Read(string text)
    {
        try
        {
            return (UnitText.Parse(text, "a quantity", Units), text.Trim().TrimStart("0123456789.+-eE ").ToString());
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>A number of the base unit as text in <paramref name="unit"/>; without a unit a whole number where it is one but for rounding.</summary>
    public static string Write(double value, string unit)
    {
        double scaled = value / (unit.Length == 0 ? 1 : Factor(unit)!.Value), whole = Math.Round(scaled);
        string number = Math.Abs(scaled - whole) <= 1e-9 * Math.Abs(whole) ? whole.ToString("F0", CultureInfo.InvariantCulture) : scaled.ToString("G9", CultureInfo.InvariantCulture);
        return unit.Length == 0 ? number : $"{number} {unit}";
    }
}
