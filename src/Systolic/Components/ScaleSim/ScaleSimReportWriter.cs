using System.Globalization;

namespace Systolic.Components;

/// <summary>Writes the three report files of SCALE-Sim v3 with its columns, separators and spelling of numbers.</summary>
public static class ScaleSimReportWriter
{
    private const string Compute = "LayerID, Total Cycles (incl. prefetch), Total Cycles, Stall Cycles, Overall Util %, Mapping Efficiency %, Compute Util %,\n";

    private const string Bandwidth = "LayerID, Avg IFMAP SRAM BW, Avg FILTER SRAM BW, Avg OFMAP SRAM BW, Avg IFMAP DRAM BW, Avg FILTER DRAM BW, Avg OFMAP DRAM BW,\n";

    private const string Access = "LayerID, SRAM IFMAP Start Cycle, SRAM IFMAP Stop Cycle, SRAM IFMAP Reads, "
        + "SRAM Filter Start Cycle, SRAM Filter Stop Cycle, SRAM Filter Reads, SRAM OFMAP Start Cycle, SRAM OFMAP Stop Cycle, SRAM OFMAP Writes, "
        + "DRAM IFMAP Start Cycle, DRAM IFMAP Stop Cycle, DRAM IFMAP Reads, DRAM Filter Start Cycle, DRAM Filter Stop Cycle, DRAM Filter Reads, "
        + "DRAM OFMAP Start Cycle, DRAM OFMAP Stop Cycle, DRAM OFMAP Writes,\n";

    /// <summary>Writes COMPUTE_REPORT.csv: cycles, stalls and utilizations of each layer.</summary>
    public static void WriteCompute(TextWriter output, IEnumerable<ScaleSimReport> layers) => Write(output, Compute, layers, layer =>
    [
        Whole(layer.TotalCyclesWithPrefetch), Whole(layer.TotalCycles), Whole(layer.StallCycles),
        Real(layer.UtilizationPercent), Real(layer.MappingEfficiencyPercent), Real(layer.ComputeUtilizationPercent),
    ]);

    /// <summary>Writes BANDWIDTH_REPORT.csv: mean words per cycle, of SRAM over all cycles, of DRAM over each operand's own active span.</summary>
    public static void WriteBandwidth(TextWriter output, IEnumerable<ScaleSimReport> layers) => Write(output, Bandwidth, layers, layer =>
    [
        .. Operands(layer).Select(operand => Real(operand.Sram.Words / (double)layer.TotalCycles)),
        .. Operands(layer).Select(operand => Real(operand.Dram.WordsPerCycle)),
    ]);

    /// <summary>Writes DETAILED_ACCESS_REPORT.csv: first and last cycle and words of each operand at SRAM and DRAM.</summary>
    public static void WriteDetailedAccess(TextWriter output, IEnumerable<ScaleSimReport> layers) => Write(output, Access, layers, layer =>
        Operands(layer).Select(operand => operand.Sram).Concat(Operands(layer).Select(operand => operand.Dram))
            .SelectMany(access => (string[])[Real(access.FirstCycle), Real(access.LastCycle), Whole(access.Words)]));

    private static ScaleSimTraffic[] Operands(ScaleSimReport layer) => [layer.Ifmap, layer.Filter, layer.Ofmap];

    private static void Write(TextWriter output, string header, IEnumerable<ScaleSimReport> layers, Func<ScaleSimReport, IEnumerable<string>> cells)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(layers);
        output.Write(header);
        foreach ((int index, ScaleSimReport layer) in layers.Index())
        {
            output.Write($"{Whole(index)}, {string.Join(", ", cells(layer))},\n");
        }
    }

    private static string Whole(long value) => value.ToString(CultureInfo.InvariantCulture);

    // As Python prints a float: the shortest text that reads back the same, "33.0", "1e-05".
    private static string Real(double value)
    {
        if (double.IsInfinity(value))
        {
            return "inf";
        }

        string text = value.ToString("R", CultureInfo.InvariantCulture).Replace('E', 'e');
        return text.AsSpan().ContainsAny(".e") ? text : text + ".0";
    }
}
