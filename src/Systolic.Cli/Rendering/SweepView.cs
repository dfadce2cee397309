using System.Globalization;
using Spectre.Console;
using Systolic.Exploration;

namespace Systolic.Cli.Rendering;

/// <summary>The Pareto front of a sweep as a table.</summary>
internal sealed class SweepView(IAnsiConsole console)
{
    private const int MostRows = 25;

    /// <summary>Shows the front, and how many points were run.</summary>
    public void Show(SweepResult result, string report)
    {
        int runs = result.Rows.Count(row => row.HasRun);
        SweepColumn[] shown = [.. result.Parameters, .. result.Objectives];
        var table = new TextTable([new("point"), .. shown.Select(column => new Column(column.Name))]);
        foreach (SweepRow row in result.Front.Rows.Take(MostRows))
        {
            table.Add([row.Point.Number.ToString(CultureInfo.InvariantCulture), .. shown.Select(column => column.Text?.Invoke(row) ?? column.Number!(row).ToString("G4", CultureInfo.InvariantCulture))]);
        }

        console.WriteLine(FormattableString.Invariant($"Pareto front over {string.Join(", ", result.Goals.Objectives)}: {result.Front.Rows.Length} of {runs} points"));
        table.Draw(console);
        if (result.Front.Rows.Length > MostRows)
        {
            console.WriteLine(FormattableString.Invariant($"and {result.Front.Rows.Length - MostRows} more, marked in results.csv"));
        }

        long refused = result.Rows.Length - runs - result.Pruned;
        console.WriteLine(FormattableString.Invariant($"{result.Rows.Length} points: {runs} run, {refused} that do not fit or cannot be (their reason is in the results){(result.Pruned > 0 ? $", {result.Pruned} pruned by their lower bound" : "")}"));
        console.WriteLine(report);
    }
}
