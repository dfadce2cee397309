using System.Collections.Immutable;
using Spectre.Console;
using Systolic.Accounting;
using Systolic.Reporting;
using Systolic.Units;

namespace Systolic.Cli.Rendering;

/// <summary>The operators of a run that took most time. Wide consoles add how often they ran and their energy.</summary>
internal static class OperatorTable
{
    private const int Lines = 12;
    private const int WideConsole = 100;

    /// <summary>Draws a line per group of operators, and one for the rest.</summary>
    public static void Draw(IAnsiConsole console, RunReport report)
    {
        bool wide = console.Profile.Width >= WideConsole;
        var table = new TextTable(
            wide
            ? [new("operators", true), new("shape", true), new("runs"), new("time"), new("share"), new("bound"), new("energy"), new("mostly", true)]
            : [new("operators", true), new("shape", true), new("time"), new("share"), new("bound"), new("mostly", true)]);
        ImmutableArray<OperatorGroup> groups = OperatorGroup.Of(report);
        foreach (OperatorGroup group in groups.Take(Lines))
        {
            string names = string.Join(", ", group.Names);
            string bound = group.Time > SimTime.Zero ? Text.Percent((double)group.Bound.Value / group.Time.Value) : "";
            string mostly = CycleStack.Label(group.Leading);
            table.Add(
                wide
                ? [names, group.Shape, Text.Count(group.Runs), group.Time.ToString(), Text.Percent(group.Share), bound, group.Energy.ToString(), mostly]
                : [names, group.Shape, group.Time.ToString(), Text.Percent(group.Share), bound, mostly]);
        }

        AddRest(table, [.. groups.Skip(Lines)], wide);
        table.Draw(console);
    }

    private static void AddRest(TextTable table, ImmutableArray<OperatorGroup> rest, bool wide)
    {
        if (rest.Length > 0)
        {
            string share = Text.Percent(rest.Sum(group => group.Share));
            string more = $"{Text.Count(rest.Length)} more";
            table.Add(wide ? [more, "", "", "", share, "", "", ""] : [more, "", "", share, "", ""]);
        }
    }
}
