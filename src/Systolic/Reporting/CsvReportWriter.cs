using System.Globalization;
using System.Text;
using Systolic.Accounting;

namespace Systolic.Reporting;

/// <summary>Writes runs as comma-separated values (RFC 4180), one line per operator; figures are of one execution unless named total.</summary>
public static class CsvReportWriter
{
    private static readonly CycleComponent[] Components = Enum.GetValues<CycleComponent>();

    private static readonly string[] Header =
    [
        "machine", "model", "phase", "operator", "kind", "shape", "repeat", "time_s", "total_time_s", "cycles", "bound_s", "useful_macs", "macs",
        "dram_bytes", "energy_j", "total_energy_j", "scratchpad_high_water_bytes", "mapping",
        .. Components.Select(component => FigureText.Key(CycleStack.Label(component)) + "_s"),
        .. EnergyBreakdown.Components.Select(component => FigureText.Key(component) + "_j"),
    ];

    /// <summary>Writes a header and the operators of each run in execution order; lines end as the RFC asks, and equal reports give equal text.</summary>
    public static void Write(TextWriter output, params ReadOnlySpan<RunReport> reports)
    {
        ArgumentNullException.ThrowIfNull(output);
        WriteLine(output, Header);
        foreach (RunReport report in reports)
        {
            foreach (OperatorReport op in report.Operators)
            {
                WriteLine(output, Cells(report, op));
            }
        }
    }

    private static string[] Cells(RunReport report, OperatorReport op)
    {
        OperatorRun run = op.Run;
        return
        [
            report.Machine.Name, report.Model, report.Phase, run.Name, run.Kind, run.Shape, Text(run.Repeat),
            Text(FigureText.Seconds(run.Time)), Text(FigureText.Seconds(op.TotalTime)), Text(op.Cycles.Value), Text(FigureText.Seconds(run.Bound.Time)),
            Text(run.UsefulMacs.Value), Text(run.Counts.Macs), Text(run.Counts.DramBytes), Text(op.Energy.Joules), Text(op.TotalEnergy.Joules),
            Text(run.ScratchpadHighWater.Value), run.Mapping,
            .. Components.Select(component => Text(FigureText.Seconds(run.Stack[component]))),
            .. EnergyBreakdown.Components.Select(component => Text(op.EnergyBreakdown.Parts.Where(part => part.Component == component).Sum(part => part.Value.Joules))),
        ];
    }

    private static string Text<T>(T value)
        where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);

    /// <summary>Writes a line of cells, quoted where they need it.</summary>
    internal static void WriteLine(TextWriter output, string[] cells) =>
        output.Write(new StringBuilder().AppendJoin(',', cells.Select(Quote)).Append("\r\n"));

    private static string Quote(string cell) =>
        cell.AsSpan().IndexOfAny(",\"\r\n") < 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
