using System.Collections.Immutable;
using Spectre.Console;
using Systolic.Accounting;
using Systolic.Reporting;
using Systolic.Units;

namespace Systolic.Cli.Rendering;

/// <summary>Draws reports for a reader: the answer first, then where time and energy went, then the operators.</summary>
internal sealed class ReportView(IAnsiConsole console)
{
    /// <summary>Draws one run.</summary>
    public void Show(RunReport report)
    {
        Heading($"{report.Model}, {report.Phase}: {report.Machine.Name}");
        var figures = new TextTable(new("", true), new(report.Machine.Name));
        foreach (ReportFigure figure in ReportFigure.Of(report))
        {
            figures.Add(figure.Name, figure.Text);
        }

        if (report.ScratchpadHighWater > Bytes.Zero)
        {
            figures.Add("scratchpad high water", report.ScratchpadHighWater.ToString());
        }

        figures.Draw(console);
        ShowDetails([report]);
    }

    /// <summary>Draws a comparison.</summary>
    public void Show(Comparison comparison)
    {
        RunReport report = comparison.Report, baseline = comparison.Baseline;
        string left = report.Machine.Name, right = baseline.Machine.Name;
        Heading($"{report.Model}, {report.Phase}: {left} against {right}");
        console.WriteLine(comparison.Summary);
        console.WriteLine(comparison.AtEqualMeans);
        var figures = new TextTable(new("", true), new(left), new(right), new("ratio"));
        foreach (ComparisonRow row in comparison.Rows)
        {
            figures.Add(row.Name, row.Report, row.Baseline, row.QuotientText);
        }

        figures.Draw(console);
        console.WriteLine($" ratio: {left} over {right}");
        ShowDetails([report, baseline]);
    }

    private void ShowDetails(ImmutableArray<RunReport> reports)
    {
        Heading("Where the time went");
        ShareTable.Draw(console, reports, Components(reports), CycleStack.Label, TimeOf);
        foreach (RunReport report in reports)
        {
            ShowExchanges(report);
        }

        var explanation = new ExplanationView(console);
        foreach (RunReport report in reports)
        {
            Heading($"If a part of {report.Machine.Name} were infinitely fast");
            explanation.ShowWhatIfs(WhatIf.Of(report));
        }

        Heading("Where the energy went");
        ShareTable.Draw(console, reports, EnergyParts(reports), part => part, EnergyOf);
        ShowMemory(reports);
        Heading("How busy the engines were");
        ShowEngines(reports);
        foreach (RunReport report in reports)
        {
            Heading($"Operators by time, {report.Machine.Name}");
            OperatorTable.Draw(console, report);
        }

        console.WriteLine(" bound: the least time possible, as a share of the time taken");
        ShowAssumptions(reports);
    }

    private static IEnumerable<CycleComponent> Components(ImmutableArray<RunReport> reports) =>
        Enum.GetValues<CycleComponent>().Where(component => reports.Any(report => report.CycleStack[component] > SimTime.Zero));

    private void ShowExchanges(RunReport report)
    {
        if (report.Trace.Parallel is not { Exchanges.IsEmpty: false } parallel)
        {
            return;
        }

        Heading($"What the chips exchanged, {report.Machine.Name}");
        var table = new TextTable(new("exchange", true), new("kind", true), new("chips"), new("bytes"), new("runs"), new("time"), new("exposed"), new("hidden"));
        foreach (ExchangeRun exchange in parallel.Exchanges)
        {
            table.Add(
                exchange.Name, exchange.Function, Text.Count(exchange.Chips), exchange.Bytes.ToString(), Text.Count(exchange.Repeat), exchange.Time.ToString(),
                exchange.Exposed.ToString(), exchange.Hidden.ToString());
        }

        table.Draw(console);
        console.WriteLine($" exposed: what delayed the step, of all runs; pipeline bubble {parallel.Bubble}");
    }

    private static (string Amount, double Share) TimeOf(RunReport report, CycleComponent component)
    {
        SimTime time = report.CycleStack[component];
        return (time.ToString(), (double)time.Value / report.Time.Value);
    }

    private static IEnumerable<string> EnergyParts(ImmutableArray<RunReport> reports) => reports
        .SelectMany(report => report.EnergyBreakdown.Parts)
        .Where(part => part.Value > Energy.Zero)
        .GroupBy(part => part.Component)
        .OrderByDescending(group => group.Max(part => part.Value))
        .Select(group => group.Key);

    private static (string Amount, double Share) EnergyOf(RunReport report, string component)
    {
        Energy energy = report.EnergyBreakdown.Parts.Where(part => part.Component == component).Aggregate(Energy.Zero, (sum, part) => sum + part.Value);
        return (energy.ToString(), energy / report.Energy);
    }

    private void ShowMemory(ImmutableArray<RunReport> reports)
    {
        if (reports[0].Memory is not { } memory)
        {
            return;
        }

        Heading("What main memory holds");
        var table = new TextTable([new("", true), new("size"), .. reports.Select(report => new Column($"of {report.Machine.Name}"))]);
        foreach ((string name, Bytes size) in memory.Parts.Add(("total", memory.Total)).Where(part => part.Size > Bytes.Zero))
        {
            table.Add([name, size.ToString(), .. reports.Select(report => Text.Percent((double)size.Value / report.Machine.MainMemoryCapacity.Value))]);
        }

        table.Draw(console);
    }

    private void ShowEngines(ImmutableArray<RunReport> reports)
    {
        var table = new TextTable(new("machine", true), new("engine", true), new("instances"), new("busy"));
        foreach (RunReport report in reports)
        {
            foreach (EngineUtilization engine in report.Utilization)
            {
                table.Add(report.Machine.Name, engine.Engine, Text.Count(engine.Instances), Text.Percent(engine.Share));
            }
        }

        table.Draw(console);
    }

    private void ShowAssumptions(ImmutableArray<RunReport> reports)
    {
        ImmutableArray<RunReport> assuming = [.. reports.Where(report => report.Machine.Assumptions.Length > 0)];
        console.WriteLine();
        foreach (RunReport report in assuming)
        {
            console.WriteLine($"{report.Machine.Name}: {Text.Count(report.Machine.Assumptions.Length)} of its parameters are assumed, not documented.");
        }

        if (assuming.Length > 0)
        {
            console.WriteLine("Each is listed with its reason in the files of --json and --markdown.");
        }
    }

    private void Heading(string text)
    {
        console.WriteLine();
        console.MarkupLine($"[bold]{Markup.Escape(text)}[/]");
    }
}
