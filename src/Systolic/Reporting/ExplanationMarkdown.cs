using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>The sections of a report that explain its time.</summary>
internal static class ExplanationMarkdown
{
    private const int Lines = 20;
    private const int StackParts = 3;

    /// <summary>Writes what would help, the stack of each operator, and, where spans were recorded, the critical path and the longest waits.</summary>
    public static void Write(TextWriter output, Explanation explanation)
    {
        MarkdownReportWriter.Section(output, "If a part were infinitely fast", WhatIfs(explanation.WhatIfs));
        MarkdownReportWriter.Section(output, "Cycle stack of operators", Operators(explanation));
        if (explanation.Path.Length > 0)
        {
            MarkdownReportWriter.Section(output, "Critical path, one execution of each operator", Path(explanation));
            MarkdownReportWriter.Section(output, "Longest waits, one execution of each operator", Waits(explanation));
        }
    }

    private static MarkdownTable WhatIfs(ImmutableArray<WhatIf> whatIfs)
    {
        var table = new MarkdownTable(["part", "on the critical path", "time at best", "time simulated", "gain"]);
        foreach (WhatIf found in whatIfs)
        {
            table.Add(found.Part.Label(), found.OnPath > SimTime.Zero ? found.OnPath.ToString() : "", found.Bound.ToString(), found.Simulated?.ToString() ?? "", FigureText.Percent(found.Gain));
        }

        return table;
    }

    private static MarkdownTable Operators(Explanation explanation)
    {
        var table = new MarkdownTable(["operators", "shape", "mostly", "faster with a faster", "time", "gain"], texts: 4);
        foreach (OperatorExplanation op in explanation.Operators.Take(Lines))
        {
            WhatIf? best = op.WhatIfs.FirstOrDefault();
            table.Add(
                string.Join(", ", op.Group.Names), op.Group.Shape, op.Stack(StackParts), best?.Part.Label() ?? "", op.Group.Time.ToString(), best is null ? "" : FigureText.Percent(best.Gain));
        }

        return table;
    }

    private static MarkdownTable Path(Explanation explanation)
    {
        var table = new MarkdownTable(["engine or queue", "instructions", "time", "share"]);
        double total = explanation.Path.Sum(segment => segment.Time.Seconds);
        foreach (PathSegment segment in explanation.PathByTrack)
        {
            table.Add(segment.Track, FigureText.Count(segment.Instructions), segment.Time.ToString(), FigureText.Percent(segment.Time.Seconds / total));
        }

        return table;
    }

    private static MarkdownTable Waits(Explanation explanation)
    {
        var table = new MarkdownTable(["operator", "who", "for what", "times", "on the path", "in all", "longest"], texts: 3);
        foreach (WaitGroup wait in explanation.Waits.Take(Lines))
        {
            table.Add(
                wait.Operator, $"{wait.Track} {wait.Name}", wait.Longest.Wait!.Reason, FigureText.Count(wait.Count), FigureText.Count(wait.OnPath), wait.Total.ToString(), wait.Longest.Wait!.Time.ToString());
        }

        return table;
    }
}
