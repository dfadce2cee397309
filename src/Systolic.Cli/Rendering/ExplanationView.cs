using System.Collections.Immutable;
using Spectre.Console;
using Systolic.Accounting;
using Systolic.Reporting;
using Systolic.Units;

namespace Systolic.Cli.Rendering;

/// <summary>Draws why a run takes as long as it does.</summary>
internal sealed class ExplanationView(IAnsiConsole console)
{
    private const int Lines = 12;
    private const int StackParts = 3;
    private const int PathEnds = 4;
    private const int WideConsole = 110;

    /// <summary>Draws all of an explanation.</summary>
    public void Show(Explanation explanation)
    {
        RunReport report = explanation.Report;
        console.MarkupLine($"[bold]{Markup.Escape($"{report.Model}, {report.Phase}: {report.Machine.Name}")}[/]");
        console.WriteLine(explanation.Summary);
        Heading("If a part were infinitely fast");
        ShowWhatIfs(explanation.WhatIfs);
        Heading("Where operators spend their time");
        ShowOperators(explanation);
        if (explanation.Path.Length > 0)
        {
            Heading("On the critical path, in one execution of each operator");
            ShowPath(explanation);
        }

        if (explanation.Waits.Length > 0)
        {
            Heading("Longest waits, in one execution of each operator");
            ShowWaits(explanation.Waits);
        }
    }

    /// <summary>Draws what a run would take if a part of the machine were infinitely fast.</summary>
    public void ShowWhatIfs(ImmutableArray<WhatIf> whatIfs)
    {
        bool simulated = whatIfs.Any(found => found.Simulated is not null);
        var table = new TextTable([new("", true), new("on the path"), new("at best"), .. simulated ? (Column[])[new("simulated")] : [], new("faster")]);
        foreach (WhatIf found in whatIfs)
        {
            table.Add([found.Part.Label(), found.OnPath > SimTime.Zero ? found.OnPath.ToString() : "", found.Bound.ToString(), .. simulated ? (string[])[found.Simulated?.ToString() ?? ""] : [], Faster(found)]);
        }

        table.Draw(console);
        console.WriteLine(" at best: without its time on the critical path; another path may then be longer");
    }

    private void ShowOperators(Explanation explanation)
    {
        var table = new TextTable(new("operators", true), new("time"), new("share"), new("mostly", true), new("helps most", true), new("faster"));
        foreach (OperatorExplanation op in explanation.Operators.Take(Lines))
        {
            WhatIf? best = op.WhatIfs.FirstOrDefault();
            table.Add(
                string.Join(", ", op.Group.Names), op.Group.Time.ToString(), Text.Percent(op.Group.Share), op.Stack(StackParts), best?.Part.Label() ?? "", best is null ? "" : Faster(best));
        }

        table.Draw(console);
    }

    private void ShowPath(Explanation explanation)
    {
        double total = explanation.Path.Sum(segment => segment.Time.Seconds);
        var table = new TextTable(new("engine or queue", true), new("instructions"), new("time"), new("share"));
        foreach (PathSegment segment in explanation.PathByTrack)
        {
            table.Add(segment.Track, Text.Count(segment.Instructions), segment.Time.ToString(), Text.Percent(segment.Time.Seconds / total));
        }

        table.Draw(console);
        string longest = explanation.Report.Operators.MaxBy(op => op.TotalTime)!.Run.Name;
        PathSegment[] segments = [.. explanation.Path.Where(segment => segment.Operator == longest)];
        IEnumerable<string> steps = segments.Length <= 2 * PathEnds
            ? segments.Select(Describe)
            : [.. segments[..PathEnds].Select(Describe), $"{Text.Count(segments.Length - (2 * PathEnds))} more", .. segments[^PathEnds..].Select(Describe)];
        console.WriteLine($" {longest}: {string.Join(", ", steps)}");
    }

    private void ShowWaits(ImmutableArray<WaitGroup> waits)
    {
        bool several = waits.Select(wait => wait.Operator).Distinct().Count() > 1, names = !several || console.Profile.Width >= WideConsole;
        var table = new TextTable([.. several ? (Column[])[new("operator", true)] : [], new("who", true), new("for", true), new("cause", true), new("times"), new("path"), new("in all"), new("longest")]);
        foreach (WaitGroup wait in waits.Take(Lines))
        {
            string[] op = several ? [wait.Operator[(wait.Operator.LastIndexOf('/') + 1)..]] : [];
            table.Add([
                .. op, names ? $"{wait.Track} {wait.Name}" : wait.Track, names ? $"{wait.ForTrack} {wait.ForName}" : wait.ForTrack, Wait.Label(wait.Cause), Text.Count(wait.Count), Text.Count(wait.OnPath), wait.Total.ToString(), wait.Longest.Wait!.Time.ToString()]);
        }

        table.Draw(console);
        console.WriteLine(" path: how many of them lie on the critical path; those kinds come first");
        if (waits.Length > Lines)
        {
            console.WriteLine($" {Text.Count(waits.Length - Lines)} more kinds of waits in the file of --json");
        }
    }

    private static string Describe(PathSegment segment) => $"{segment.Track} {segment.Time} ({Text.Count(segment.Instructions)})";

    private static string Faster(WhatIf found) => found.Time > SimTime.Zero ? FormattableString.Invariant($"{found.Now.Seconds / found.Time.Seconds:F2}x") : "";

    private void Heading(string text)
    {
        console.WriteLine();
        console.MarkupLine($"[bold]{Markup.Escape(text)}[/]");
    }
}
