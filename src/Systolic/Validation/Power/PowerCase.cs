using System.Globalization;
using System.Text.RegularExpressions;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>One published power or energy, read from its file.</summary>
/// <param name="Id">The row's name.</param>
/// <param name="Chip">The chip in the publication's words.</param>
/// <param name="Workload">What ran.</param>
/// <param name="Metric">What was measured.</param>
/// <param name="Value">The figure.</param>
/// <param name="Tolerance">What the row allows, in percent.</param>
/// <param name="OneSided">The figure bounds from above.</param>
/// <param name="Notes">Rates, durations and reservations.</param>
internal sealed partial record PowerCase(string Id, string Chip, string Workload, string Metric, double Value, double Tolerance, bool OneSided, string Notes)
{
    private static readonly string[] Kinds = ["two_sided", "upper_bound"];

    /// <summary>The group of the statistics: kind and metric; rows that coefficients were fitted on stand apart.</summary>
    public string Group => $"{(Notes.Contains("CALIBRATION ROW", StringComparison.Ordinal) ? "calibration" : Kinds[OneSided ? 1 : 0])}/{Metric}";

    /// <summary>Reads a row.</summary>
    public static PowerCase Read(CsvRow row) => new(
        row.Text("id"), row.Text("chip"), row.Text("workload"), row.Text("metric"), row.Number("value", 0, 1e12), row.Number("tolerance_pct", 0, 1000),
        row.Choice("kind", Kinds) == 1, row.Optional("notes"));

    /// <summary>Chips that the row names, such as 2 of "2x H100 SXM5".</summary>
    public int Chips => CountPattern().Match(Chip) is { Success: true } match ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : 1;

    /// <summary>The chip without their number.</summary>
    public string ChipName => CountPattern().Replace(Chip, "");

    /// <summary>The number in front of a unit or behind a word in workload and notes, such as 257 of "257 TFLOPS"; null without one.</summary>
    public double? Before(string unit) => Find($@"([\d.,]+(?:e\d+)?)\s*(M )?{Regex.Escape(unit)}");

    /// <summary>The number behind a word, such as 8 of "batch 8".</summary>
    public double? After(string word) => Find($@"{Regex.Escape(word)}\s*([\d.,]+)(x)?");

    /// <summary>The number in front of a unit in the name of the chip, such as 5 of "5 nm 0.67 V".</summary>
    public double? InChip(string unit) => Find($@"([\d.]+)( )?{unit}\b", Chip);

    private double? Find(string pattern, string? text = null)
    {
        Match match = Regex.Match(text ?? $"{Workload}; {Notes}", pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        return match.Success ? double.Parse(match.Groups[1].ValueSpan.TrimEnd(".,"), NumberStyles.Float | NumberStyles.AllowThousands, CultureInfo.InvariantCulture) * (match.Groups[2].Value == "M " ? 1e6 : 1) : null;
    }

    [GeneratedRegex(@"^(\d+)x ", RegexOptions.CultureInvariant)]
    private static partial Regex CountPattern();
}
