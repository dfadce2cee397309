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
        >= 1e12 => ThreeDigits(value / 1e12) + " T",
        >= 1e9 => ThreeDigits(value / 1e9) + " B",
        >= 1e6 => ThreeDigits(value / 1e6) + " M",
        _ => value.ToString("N0", CultureInfo.InvariantCulture),
    };

    private static string ThreeDigits(double value) => value.ToString(value >= 100 ? "F0" : value >= 10 ? "F1" : "F2", CultureInfo.InvariantCulture);
}
