using Spectre.Console;
using Systolic.Reporting;

namespace Systolic.Cli.Rendering;

/// <summary>Draws what changed between two runs.</summary>
internal sealed class DiffView(IAnsiConsole console)
{
    private const int Lines = 12;

    /// <summary>Draws the sentence, and a table for each section with changes.</summary>
    public void Show(RunDiff diff)
    {
        console.WriteLine($"From {diff.Before.Title}");
        console.WriteLine($"to   {diff.After.Title}");
        console.WriteLine();
        console.MarkupLine($"[bold]{Markup.Escape(diff.Summary)}[/]");
        DiffSection[] changed = [.. diff.Sections.Where(section => section.Rows.Length > 0)];
        if (changed.Length == 0)
        {
            console.WriteLine("Nothing changed.");
        }

        foreach (DiffSection section in changed)
        {
            console.WriteLine();
            console.MarkupLine($"[bold]{Markup.Escape(char.ToUpperInvariant(section.Title[0]) + section.Title[1..])}[/]");
            Draw(section);
        }
    }

    private void Draw(DiffSection section)
    {
        bool notes = section.Rows.Any(row => row.Note.Length > 0);
        var table = new TextTable([new("", true), new("before"), new("after"), new("change"), new("ratio"), .. notes ? (Column[])[new("mostly", true)] : []]);
        foreach (DiffRow row in section.Rows.Take(Lines))
        {
            table.Add([
                row.Name, section.Text(row.Before), section.Text(row.After), section.ChangeText(row), DiffSection.RatioText(row), .. notes ? (string[])[row.Note] : []]);
        }

        table.Draw(console);
        if (section.Rows.Length > Lines)
        {
            console.WriteLine($" {Text.Count(section.Rows.Length - Lines)} smaller changes in the file of --json");
        }
    }
}
