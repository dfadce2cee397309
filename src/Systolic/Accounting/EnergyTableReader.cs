using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Accounting;

/// <summary>Reads the CSV form of an <see cref="EnergyReferenceTable"/>.</summary>
internal static class EnergyTableReader
{
    /// <summary>The header line, exactly.</summary>
    public static readonly ImmutableArray<string> Columns =
        ["activity", "node_nm", "machine", "energy_pj", "low_pj", "high_pj", "confidence", "source", "notes"];

    private const double MaximumPicojoules = 1e9;
    private static readonly string[] Activities = Enum.GetNames<ActivityKind>();
    private static readonly string[] MachineClasses = ["systolic", "simt", "any"];
    private static readonly string[] Confidences = [.. Enum.GetNames<EnergyConfidence>().Select(name => name.ToLowerInvariant())];

    /// <summary>All rows, or all problems.</summary>
    /// <exception cref="InvalidDocumentException">The text is not such a table.</exception>
    public static ImmutableArray<EnergyRow> Read(string csv, string file)
    {
        CsvTable table = CsvTable.Parse(csv, file, Columns);
        var lines = new Dictionary<(ActivityKind, int, string), int>();
        ImmutableArray<EnergyRow>.Builder rows = ImmutableArray.CreateBuilder<EnergyRow>(table.Rows.Length);
        foreach (CsvRow line in table.Rows)
        {
            if (ReadRow(line) is { } row)
            {
                RefuseDuplicate(line, row, lines);
                rows.Add(row);
            }
        }

        table.Finish();
        return rows.ToImmutable();
    }

    private static EnergyRow? ReadRow(CsvRow line)
    {
        int activity = line.Choice("activity", Activities);
        long node = line.Integer("node_nm", 1, 1000);
        int machine = line.Choice("machine", MachineClasses);
        double value = line.Number("energy_pj", 0, MaximumPicojoules);
        double low = line.Number("low_pj", 0, MaximumPicojoules);
        double high = line.Number("high_pj", 0, MaximumPicojoules);
        int confidence = line.Choice("confidence", Confidences);
        string source = line.Text("source");
        RefuseUnordered(line, low, value, high);
        return activity < 0 || machine < 0 || confidence < 0 ? null : new EnergyRow(
            (ActivityKind)activity, (int)node, MachineClasses[machine],
            Energy.FromPicojoules(value), Energy.FromPicojoules(low), Energy.FromPicojoules(high),
            (EnergyConfidence)confidence, source, line.Optional("notes"));
    }

    private static void RefuseUnordered(CsvRow line, double low, double value, double high)
    {
        if (low > value)
        {
            line.Problem("low_pj", FormattableString.Invariant($"found {low}, expected at most energy_pj, which is {value}"));
        }

        if (high < value)
        {
            line.Problem("high_pj", FormattableString.Invariant($"found {high}, expected at least energy_pj, which is {value}"));
        }
    }

    private static void RefuseDuplicate(CsvRow line, EnergyRow row, Dictionary<(ActivityKind, int, string), int> lines)
    {
        if (!lines.TryAdd((row.Activity, row.NodeNanometres, row.MachineClass), line.Line))
        {
            int first = lines[(row.Activity, row.NodeNanometres, row.MachineClass)];
            line.Problem("activity", FormattableString.Invariant(
                $"found a second row for {row.Activity}, {row.NodeNanometres} nm, {row.MachineClass}, expected one: remove this or line {first}"));
        }
    }
}
