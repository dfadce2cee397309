using Systolic.Accounting;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Reporting;

/// <summary>Writes a run as Markdown: headline figures, cycle stack, energy, engines, traffic, operators, mappings, assumptions.</summary>
public static class MarkdownReportWriter
{
    private const int OperatorLines = 20;

    /// <summary>Writes a report; lines end in line feeds, and equal reports give equal text.</summary>
    public static void Write(TextWriter output, RunReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        Write(output, Explanation.Of(report));
    }

    /// <summary>Writes a report with its explanation.</summary>
    public static void Write(TextWriter output, Explanation explanation)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(explanation);
        RunReport report = explanation.Report;
        output.Write($"# {report.Model}, {report.Phase}: {report.Machine.Name}\n\n");
        output.Write(Figures(report));
        Section(output, "Cycle stack", CycleStack(report));
        if (report.Trace.Parallel is { } parallel)
        {
            Section(output, $"Chips: {parallel.Plan}", Exchanges(parallel));
        }

        ExplanationMarkdown.Write(output, explanation);
        Section(output, "Energy", Energy(report));
        Section(output, "Energy by activity", Activities(report));
        if (report.Machine.Area is { } area)
        {
            Section(output, "Die area", Area(area));
        }

        Section(output, "Engines", Engines(report));
        Section(output, "Traffic", Traffic(report));
        if (report.Memory is { } memory)
        {
            Section(output, "Main memory", Memory(memory, report.Machine.MainMemoryCapacity));
        }

        Section(output, "Operators", Operators(report));
        Section(output, "Mappings", Mappings(report));
        Section(output, "Assumed parameters", Assumptions(report));
    }

    /// <summary>Writes a heading and a table.</summary>
    internal static void Section(TextWriter output, string title, MarkdownTable table) => output.Write($"\n## {title}\n\n{table}");

    private static MarkdownTable Figures(RunReport report)
    {
        var table = new MarkdownTable(["figure", "value"]);
        foreach (ReportFigure figure in ReportFigure.Of(report))
        {
            table.Add(figure.Name, figure.Text);
        }

        if (report.ScratchpadHighWater > Bytes.Zero)
        {
            table.Add("scratchpad high water", report.ScratchpadHighWater.ToString());
        }

        return table;
    }

    private static MarkdownTable CycleStack(RunReport report)
    {
        var table = new MarkdownTable(["component", "cycles", "share"]);
        foreach (ComponentCycles part in report.CyclesByComponent)
        {
            table.Add(Accounting.CycleStack.Label(part.Component), FigureText.Count(part.Cycles.Value), FigureText.Percent(Share(report, part.Component)));
        }

        return table;
    }

    private static double Share(RunReport report, CycleComponent component) => (double)report.CycleStack[component].Value / report.Time.Value;

    private static MarkdownTable Exchanges(ParallelTrace parallel)
    {
        var table = new MarkdownTable(["exchange", "kind", "algorithm", "chips", "bytes", "runs", "time", "exposed", "hidden"], texts: 3);
        foreach (ExchangeRun exchange in parallel.Exchanges)
        {
            table.Add(
                exchange.Name, exchange.Function, exchange.Algorithm, FigureText.Count(exchange.Chips), exchange.Bytes.ToString(), FigureText.Count(exchange.Repeat),
                exchange.Time.ToString(), exchange.Exposed.ToString(), exchange.Hidden.ToString());
        }

        return table;
    }

    private static MarkdownTable Energy(RunReport report)
    {
        var table = new MarkdownTable(["component", "energy", "share", "low", "high", "assumed"]);
        foreach (EnergyPart part in report.EnergyBreakdown.Parts.Where(part => part.Value > Units.Energy.Zero))
        {
            table.Add(part.Component, part.Value.ToString(), FigureText.Percent(part.Value / report.Energy), part.Low.ToString(), part.High.ToString(), FigureText.Percent(part.Assumed / part.Value));
        }

        return table;
    }

    private static MarkdownTable Activities(RunReport report)
    {
        var table = new MarkdownTable(["activity", "count", "each", "low", "high", "confidence"]);
        foreach (ActivityPrice line in ActivityPrice.Of(report))
        {
            EnergyRow row = line.Row;
            table.Add(row.Activity.ToString(), FigureText.Count(line.Count), row.Value.ToString(), row.Low.ToString(), row.High.ToString(), row.Confidence.ToString().ToLowerInvariant());
        }

        return table;
    }

    private static MarkdownTable Area(AreaBreakdown area)
    {
        var table = new MarkdownTable(["component", "mm2", "low", "high"]);
        foreach (AreaPart part in area.Parts)
        {
            table.Add(part.Component, FigureText.Significant(part.Value), FigureText.Significant(part.Low), FigureText.Significant(part.High));
        }

        return table;
    }

    private static MarkdownTable Engines(RunReport report)
    {
        var table = new MarkdownTable(["engine", "instances", "busy"]);
        foreach (EngineUtilization engine in report.Utilization)
        {
            table.Add(engine.Engine, FigureText.Count(engine.Instances), FigureText.Percent(engine.Share));
        }

        return table;
    }

    private static MarkdownTable Traffic(RunReport report)
    {
        var table = new MarkdownTable(["level", "bytes", "size"]);
        foreach (LevelTraffic level in report.Traffic)
        {
            table.Add(level.Level, FigureText.Count(level.Amount.Value), level.Amount.ToString());
        }

        return table;
    }

    private static MarkdownTable Memory(MemoryFootprint memory, Bytes capacity)
    {
        var table = new MarkdownTable(["holds", "bytes", "size", "of capacity"]);
        foreach ((string name, Bytes size) in memory.Parts.Add(("total", memory.Total)).Where(part => part.Size > Bytes.Zero))
        {
            table.Add(name, FigureText.Count(size.Value), size.ToString(), FigureText.Percent((double)size.Value / capacity.Value));
        }

        return table;
    }

    private static MarkdownTable Operators(RunReport report)
    {
        var table = new MarkdownTable(["operators", "kind", "shape", "runs", "time", "share", "lower bound", "energy", "mostly"], texts: 3);
        var groups = OperatorGroup.Of(report);
        foreach (OperatorGroup group in groups.Take(OperatorLines))
        {
            table.Add(
                string.Join(", ", group.Names), group.Kind, group.Shape, FigureText.Count(group.Runs), group.Time.ToString(), FigureText.Percent(group.Share),
                group.Bound.ToString(), group.Energy.ToString(), Accounting.CycleStack.Label(group.Leading));
        }

        if (groups.Length > OperatorLines)
        {
            double share = groups.Skip(OperatorLines).Sum(group => group.Share);
            table.Add($"{FigureText.Count(groups.Length - OperatorLines)} more", "", "", "", "", FigureText.Percent(share), "", "", "");
        }

        return table;
    }

    private static MarkdownTable Mappings(RunReport report)
    {
        var table = new MarkdownTable(["kind", "shape", "mapping"], texts: 3);
        foreach (var op in report.Operators.GroupBy(op => (op.Run.Kind, op.Run.Shape, op.Run.Mapping)).OrderByDescending(group => group.Sum(op => op.TotalTime.Value)).Take(OperatorLines))
        {
            table.Add(op.Key.Kind, op.Key.Shape, op.Key.Mapping);
        }

        return table;
    }

    private static MarkdownTable Assumptions(RunReport report)
    {
        var table = new MarkdownTable(["parameter", "reason"], texts: 2);
        foreach (Assumption assumption in report.Machine.Assumptions)
        {
            table.Add(assumption.Parameter, assumption.Reason);
        }

        return table;
    }
}
