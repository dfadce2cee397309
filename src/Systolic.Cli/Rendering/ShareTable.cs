using System.Collections.Immutable;
using Spectre.Console;
using Systolic.Reporting;

namespace Systolic.Cli.Rendering;

/// <summary>How a total divides, for each of a few runs: amount, share, and a bar as long as its part of the largest share. Narrow consoles leave the amounts out.</summary>
internal static class ShareTable
{
    private const int Amount = 11;
    private const int Share = 9;
    private const int ShortestBar = 10;
    private const int LongestBar = 32;

    /// <summary>Draws a line per part that any of the runs has.</summary>
    public static void Draw<T>(
        IAnsiConsole console, ImmutableArray<RunReport> reports, IEnumerable<T> parts, Func<T, string> label, Func<RunReport, T, (string Amount, double Share)> value)
    {
        ImmutableArray<T> rows = [.. parts];
        int room = (console.Profile.Width - 4 - rows.Select(row => label(row).Length).DefaultIfEmpty(0).Max()) / reports.Length;
        bool amounts = room - Amount - Share >= ShortestBar;
        int bar = Math.Clamp(room - Share - (amounts ? Amount : 0), 1, LongestBar);
        double largest = rows.SelectMany(row => reports.Select(report => value(report, row).Share)).DefaultIfEmpty(1).Max();
        var table = new TextTable([new("", true), .. reports.SelectMany(report => Columns(report.Machine.Name, amounts, bar))]);
        foreach (T row in rows)
        {
            table.Add([label(row), .. reports.SelectMany(report => Cells(report, row))]);
        }

        table.Draw(console);

        string[] Cells(RunReport report, T row)
        {
            (string amount, double share) = value(report, row);
            string drawn = Bar.Draw(share / largest, bar, console.Profile.Capabilities.Unicode);
            string[] figures = share > 0 ? [amount, Text.Percent(share)] : ["", ""];
            return amounts ? [.. figures, drawn] : [figures[1], drawn];
        }
    }

    private static Column[] Columns(string machine, bool amounts, int bar)
    {
        string name = machine.Length > bar ? machine[..bar] : machine;
        return amounts ? [new(""), new(""), new(name, true)] : [new(""), new(name, true)];
    }
}
