using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Accounting;

/// <summary>Die area of one component of a machine, in mm2.</summary>
/// <param name="Component">The component's name in reports.</param>
/// <param name="Value">Its area.</param>
/// <param name="Low">Its area with the row at its low end.</param>
/// <param name="High">Its area with the row at its high end.</param>
/// <param name="Source">Where the figure comes from.</param>
public sealed record AreaPart(string Component, double Value, double Low, double High, string Source);

/// <summary>The die area of a machine by component, in mm2. The parts sum to the total.</summary>
/// <param name="Parts">The components; a single "die" where the vendor states it.</param>
public sealed record AreaBreakdown(ImmutableArray<AreaPart> Parts)
{
    /// <summary>Area in mm2.</summary>
    public double Total => Parts.Sum(part => part.Value);

    /// <summary>Area in mm2 with every row at its low end.</summary>
    public double Low => Parts.Sum(part => part.Low);

    /// <summary>Area in mm2 with every row at its high end.</summary>
    public double High => Parts.Sum(part => part.High);

    /// <summary>A die of published size.</summary>
    internal static AreaBreakdown Die(double squareMillimetres, string source) => new([new("die", squareMillimetres, squareMillimetres, squareMillimetres, source)]);
}

/// <summary>Area per unit of each component and process node, with range and source.</summary>
internal static class AreaTable
{
    public const string Array = "systolic array";
    public const string Memory = "on-chip memory";
    public const string Lanes = "vector lanes";
    public const string Interface = "HBM interface";
    public const string Controllers = "memory controllers";
    private const string Rest = "rest of the die";

    private static readonly ImmutableArray<string> Columns = ["component", "node_nm", "per", "mm2", "low", "high", "confidence", "source", "notes"];
    private static readonly ImmutableArray<Unit> Units = Load();

    /// <summary>Units times rows, and the rest of the die as a share of them; null on a node without rows.</summary>
    public static AreaBreakdown? Of(int nodeNanometres, params ReadOnlySpan<(string Component, double Units)> parts)
    {
        var sum = new AreaPart(Rest, 0, 0, 0, "");
        var areas = ImmutableArray.CreateBuilder<AreaPart>();
        foreach ((string component, double units) in parts)
        {
            if (Find(component, nodeNanometres) is not { } unit)
            {
                return null;
            }

            areas.Add(new AreaPart(component, unit.Value * units, unit.Low * units, unit.High * units, unit.Source));
            sum = sum with { Value = sum.Value + areas[^1].Value, Low = sum.Low + areas[^1].Low, High = sum.High + areas[^1].High };
        }

        AreaPart rest = Find(Rest, nodeNanometres)!;
        areas.Add(rest with { Value = rest.Value * sum.Value, Low = rest.Low * sum.Low, High = rest.High * sum.High });
        return new AreaBreakdown(areas.ToImmutable());
    }

    private static AreaPart? Find(string component, int node) => Units.FirstOrDefault(unit => unit.Node == node && unit.Area.Component == component)?.Area;

    private static ImmutableArray<Unit> Load()
    {
        var table = CsvTable.Parse(DocumentText.ReadEmbedded("Accounting/area-table.csv"), "area-table.csv", Columns);
        ImmutableArray<Unit> units = [.. table.Rows.Select(row => new Unit(
            (int)row.Integer("node_nm", 1, 1000),
            new AreaPart(row.Text("component"), row.Number("mm2", 0, 1e4), row.Number("low", 0, 1e4), row.Number("high", 0, 1e4), row.Text("source"))))];
        table.Finish();
        return units;
    }

    private sealed record Unit(int Node, AreaPart Area);
}
