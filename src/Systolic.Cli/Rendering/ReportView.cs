using System.Collections.Immutable;
using Spectre.Console;
using Systolic.Accounting;
using Systolic.Reporting;
using Systolic.Units;

namespace Systolic.Cli.Rendering;

/// <summary>Draws reports for a reader: the answer first, then where time and energy went, then the operators.</summary>
internal sealed class ReportView(IAnsiConsole console)
{
    private const int OperatorLines = 12;
    private const int WideConsole = 100;

    /// <summary>Draws one run.</summary>
    public void Show(RunReport report)
    {
        Heading($"{report.Model}, {report.Phase}: {report.Machine.Name}");
        Table figures = Tables.Create(1, "", report.Machine.Name);
        foreach (ReportFigure figure in ReportFigure.Of(report))
        {
            figures.Add(figure.Name, figure.Text);
        }

        if (report.ScratchpadHighWater > Bytes.Zero)
        {
            figures.Add("scratchpad high water", report.ScratchpadHighWater.ToString());
        }

        console.Write(figures);
        ShowDetails([report]);
    }

    /// <summary>Draws a comparison.</summary>
    public void Show(Comparison comparison)
    {
        RunReport report = comparison.Report, baseline = comparison.Baseline;
        string left = report.Machine.Name, right = baseline.Machine.Name;
        Heading($"{report.Model}, {report.Phase}: {left} against {right}");
        console.WriteLine(comparison.Summary);
        Table figures = Tables.Create(1, "", left, right, $"{left} / {right}");
        foreach (ComparisonRow row in comparison.Rows)
        {
            figures.Add(row.Name, row.Report, row.Baseline, row.QuotientText);
        }

        console.Write(figures);
        ShowDetails([report, baseline]);
    }

    private void ShowDetails(ImmutableArray<RunReport> reports)
    {
        Heading("Where the time went");
        console.Write(Shares(reports, Components(reports), CycleStack.Label, (report, component) => (double)report.CycleStack[component].Value / report.Time.Value));
        Heading("Where the energy went");
        console.Write(Shares(reports, EnergyParts(reports), part => part, (report, part) => EnergyOf(report, part) / report.Energy));
        Heading("How busy the engines were");
        console.Write(Engines(reports));
        foreach (RunReport report in reports)
        {
            Heading($"Operators by time, {report.Machine.Name}");
            console.Write(Operators(report));
        }

        ShowAssumptions(reports);
    }

    private Table Shares<T>(ImmutableArray<RunReport> reports, IEnumerable<T> parts, Func<T, string> label, Func<RunReport, T, double> share)
    {
        int width = Math.Max(8, (console.Profile.Width - 28) / reports.Length - 12);
        Table table = Tables.Create(1, ["", .. reports.SelectMany(report => (string[])[report.Machine.Name, ""])]);
        for (int i = 2; i < table.Columns.Count; i += 2)
        {
            table.Columns[i].Alignment = Justify.Left;
        }

        foreach (T part in parts)
        {
            table.Add([label(part), .. reports.SelectMany(report => ShareCells(share(report, part), width))]);
        }

        return table;
    }

    private string[] ShareCells(double share, int width) => share > 0 ? [Text.Percent(share), Bar.Draw(share, width, (Capabilities)console.Profile.Capabilities)] : ["", ""];

    private static IEnumerable<CycleComponent> Components(ImmutableArray<RunReport> reports) =>
        Enum.GetValues<CycleComponent>().Where(component => reports.Any(report => report.CycleStack[component] > SimTime.Zero));

    private static IEnumerable<string> EnergyParts(ImmutableArray<RunReport> reports) => reports
        .SelectMany(report => report.EnergyBreakdown.Parts)
        .Where(part => part.Value > Energy.Zero)
        .GroupBy(part => part.Component)
        .OrderByDescending(group => group.Max(part => part.Value))
        .Select(group => group.Key);

    private static Energy EnergyOf(RunReport report, string component) =>
        report.EnergyBreakdown.Parts.Where(part => part.Component == component).Aggregate(Energy.Zero, (sum, part) => sum + part.Value);

    private static Table Engines(ImmutableArray<RunReport> reports)
    {
        Table table = Tables.Create(2, "machine", "engine", "instances", "busy");
        foreach (RunReport report in reports)
        {
            foreach (EngineUtilization engine in report.Utilization)
            {
                table.Add(report.Machine.Name, engine.Engine, Text.Count(engine.Instances), Text.Percent(engine.Share));
            }
        }

        return table;
    }

    private Table Operators(RunReport report)
    {
        bool wide = console.Profile.Width >= WideConsole;
        Table table = Tables.Create(2, [.. Cells(wide, "operators", "shape", "runs", "time", "share", "bound", "energy", "mostly")]);
        ImmutableArray<OperatorGroup> groups = OperatorGroup.Of(report);
        foreach (OperatorGroup group in groups.Take(OperatorLines))
        {
            string bound = group.Time > SimTime.Zero ? Text.Percent((double)group.Bound.Value / group.Time.Value) : "";
            table.Add([.. Cells(
                wide, string.Join(", ", group.Names), group.Shape, Text.Count(group.Runs), group.Time.ToString(), Text.Percent(group.Share), bound,
                group.Energy.ToString(), CycleStack.Label(group.Leading))]);
        }

        if (groups.Length > OperatorLines)
        {
            double share = groups.Skip(OperatorLines).Sum(group => group.Share);
            table.Add([.. Cells(wide, $"{Text.Count(groups.Length - OperatorLines)} more", "", "", "", Text.Percent(share), "", "", "")]);
        }

        table.Caption = new TableTitle("bound: the least time possible, as a share of the time taken") { Style = Style.Plain };
        return table;
    }

    private static IEnumerable<string> Cells(bool wide, string names, string shape, string runs, string time, string share, string bound, string energy, string mostly) =>
        wide ? [names, shape, runs, time, share, bound, energy, mostly] : [names, shape, time, share, bound, mostly];

    private void ShowAssumptions(ImmutableArray<RunReport> reports)
    {
        console.WriteLine();
        foreach (RunReport report in reports.Where(report => report.Machine.Assumptions.Length > 0))
        {
            console.WriteLine($"{report.Machine.Name} rests on {Text.Count(report.Machine.Assumptions.Length)} parameters that no source documents.");
        }

        if (reports.Any(report => report.Machine.Assumptions.Length > 0))
        {
            console.WriteLine("They are listed, each with its reason, in the files of --json and --markdown.");
        }
    }

    private void Heading(string text)
    {
        console.WriteLine();
        console.MarkupLine($"[bold]{Markup.Escape(text)}[/]");
    }
}
