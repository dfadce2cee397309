using System.Globalization;

namespace Systolic.Cli.Rendering;

/// <summary>Numbers as the tables print them, invariant culture.</summary>
internal static class Text
{
    /// <summary>A share with one decimal, such as "85.2 %".</summary>
    public static string Percent(double share) => (share * 100).ToString("F1", CultureInfo.InvariantCulture) + " %";

    /// <summary>A whole number with thousands separated.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A large number with a decimal prefix, such as "8.03 B".</summary>
    public static string Short(double value) => value switch
    {
        >= 1e12 => (value / 1e12).ToString("G3", CultureInfo.InvariantCulture) + " T",
        >= 1e9 => (value / 1e9).ToString("G3", CultureInfo.InvariantCulture) + " B",
        >= 1e6 => (value / 1e6).ToString("G3", CultureInfo.InvariantCulture) + " M",
        _ => value.ToString("N0", CultureInfo.InvariantCulture),
    };
}
