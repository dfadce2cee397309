using System.Globalization;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>Figures as reports print them, invariant culture.</summary>
internal static class FigureText
{
    private const decimal FemtosecondsPerSecond = 1_000_000_000_000_000m;
    private const decimal FemtosecondsPerMicrosecond = 1_000_000_000m;

    /// <summary>A share with one decimal, such as "85.2 %".</summary>
    public static string Percent(double share) => (share * 100).ToString("F1", CultureInfo.InvariantCulture) + " %";

    /// <summary>A quotient with three significant digits, such as "1.85x".</summary>
    public static string Times(double ratio) => Significant(ratio) + "x";

    /// <summary>A whole number with thousands separated.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Three significant digits, without an exponent between a thousandth and a thousand million.</summary>
    public static string Significant(double value)
    {
        double magnitude = Math.Abs(value);
        string format = magnitude switch
        {
            >= 1e9 or < 1e-3 => "0.00e0",
            >= 100 => "N0",
            >= 10 => "F1",
            >= 1 => "F2",
            >= 0.1 => "F3",
            >= 0.01 => "F4",
            _ => "F5",
        };
        return value == 0 ? "0" : value.ToString(format, CultureInfo.InvariantCulture);
    }

    /// <summary>The time in seconds, exact.</summary>
    public static decimal Seconds(SimTime time) => time.Value / FemtosecondsPerSecond;

    /// <summary>The time in microseconds, exact.</summary>
    public static decimal Microseconds(SimTime time) => time.Value / FemtosecondsPerMicrosecond;

    /// <summary>A name as a key: lower case, words joined by underscores.</summary>
    public static string Key(string name) => name.ToLowerInvariant().Replace(' ', '_').Replace('-', '_');
}
