using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Accounting;

/// <summary>Ratios of energy between a process node and 7 nm, per family of circuits, each with range and source: measured ratios, no law.</summary>
/// <remarks>
/// Polynomials of an inverter chain (Stillmaker and Baas 2017) would give a factor of 15 from 45 to 7 nm where designers of a product report 2.1 to 4.3
/// (Jouppi et al. ISCA 2021 Table 2).
/// </remarks>
internal static class NodeScaling
{
    /// <summary>The node to which the factors relate, in nm.</summary>
    public const int Base = 7;

    private static readonly ImmutableArray<string> Columns = ["family", "node_nm", "factor", "low", "high", "confidence", "source", "notes"];
    private static readonly string[] Families = ["logic", "sram", "wire", "interface"];
    private static readonly string[] Confidences = [.. Enum.GetNames<EnergyConfidence>().Select(name => name.ToLowerInvariant())];
    private static readonly ImmutableArray<Factor> Factors = Read(DocumentText.ReadEmbedded("Accounting/node-factors.csv"));

    /// <summary>Nodes that can be reached from <see cref="Base"/>, in nm.</summary>
    public static ImmutableArray<int> Nodes { get; } = [.. Factors.Select(factor => factor.Node).Distinct().Order()];

    /// <summary>The row of a 7 nm activity on another node; null when no factor is known.</summary>
    public static EnergyRow? Scale(EnergyRow row, int nodeNanometres)
    {
        string family = FamilyOf(row.Activity);
        if (Factors.FirstOrDefault(known => known.Node == nodeNanometres && known.Family == family) is not { } factor)
        {
            return null;
        }

        return row with
        {
            NodeNanometres = nodeNanometres,
            Value = row.Value * factor.Value,
            Low = row.Low * factor.Low,
            High = row.High * factor.High,
            Confidence = row.Confidence == EnergyConfidence.Assumed || factor.Confidence == EnergyConfidence.Assumed ? EnergyConfidence.Assumed : EnergyConfidence.Derived,
            Notes = FormattableString.Invariant($"7 nm row x {factor.Value} {family} node factor ({factor.Source}); {row.Notes}"),
        };
    }

    private static string FamilyOf(ActivityKind activity) => activity switch
    {
        >= ActivityKind.ScratchpadReadByte and <= ActivityKind.AccumulatorWriteByte or (>= ActivityKind.SharedCacheReadByte and <= ActivityKind.SharedCacheMiss) or ActivityKind.SharedMemoryByte or ActivityKind.L2Byte => "sram",
        ActivityKind.NetworkByte => "wire",
        _ when activity.IsOffChip() => "interface",
        _ => "logic",
    };

    private static ImmutableArray<Factor> Read(string csv)
    {
        var table = CsvTable.Parse(csv, "node-factors.csv", Columns);
        ImmutableArray<Factor> factors = [.. table.Rows.Select(row => new Factor(
            Families[row.Choice("family", Families)], (int)row.Integer("node_nm", 1, 1000), row.Number("factor", 0, 100), row.Number("low", 0, 100), row.Number("high", 0, 100),
            (EnergyConfidence)row.Choice("confidence", Confidences), row.Text("source")))];
        table.Finish();
        return factors;
    }

    private sealed record Factor(string Family, int Node, double Value, double Low, double High, EnergyConfidence Confidence, string Source);
}
