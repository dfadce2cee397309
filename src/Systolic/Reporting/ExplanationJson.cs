using System.Collections.Immutable;
using System.Text.Json;
using Systolic.Accounting;

namespace Systolic.Reporting;

/// <summary>The object "explanation" of a run in JSON.</summary>
internal static class ExplanationJson
{
    private const int MostWaits = 100;
    private const int MostSegments = 200;

    /// <summary>Writes the object.</summary>
    public static void Write(Utf8JsonWriter json, Explanation explanation)
    {
        json.WriteStartObject("explanation");
        WriteWhatIfs(json, explanation.WhatIfs);
        WriteArray(json, "operators", explanation.Operators, op =>
        {
            json.WriteString("kind", op.Group.Kind);
            json.WriteString("shape", op.Group.Shape);
            json.WriteNumber("total_time_s", FigureText.Seconds(op.Group.Time));
            WriteWhatIfs(json, op.WhatIfs);
        });
        WriteArray(json, "critical_path_by_track", explanation.PathByTrack, segment => WriteSegment(json, segment));
        WriteArray(json, "critical_path", explanation.Path.Take(MostSegments), segment =>
        {
            json.WriteString("operator", segment.Operator);
            json.WriteNumber("start_s", FigureText.Seconds(segment.Start));
            WriteSegment(json, segment);
        });
        json.WriteNumber("critical_path_segments_left_out", Math.Max(0, explanation.Path.Length - MostSegments));
        WriteArray(json, "waits", explanation.Waits.Take(MostWaits), wait => WriteWait(json, wait));
        json.WriteNumber("waits_left_out", Math.Max(0, explanation.Waits.Length - MostWaits));
        json.WriteEndObject();
    }

    private static void WriteWhatIfs(Utf8JsonWriter json, ImmutableArray<WhatIf> whatIfs) => WriteArray(json, "if_infinitely_fast", whatIfs, found =>
    {
        json.WriteString("part", found.Part.Label());
        json.WriteNumber("on_path_s", FigureText.Seconds(found.OnPath));
        json.WriteNumber("bound_s", FigureText.Seconds(found.Bound));
        if (found.Simulated is { } simulated)
        {
            json.WriteNumber("simulated_s", FigureText.Seconds(simulated));
        }

        json.WriteFigure("gain", found.Gain);
    });

    private static void WriteSegment(Utf8JsonWriter json, PathSegment segment)
    {
        json.WriteString("track", segment.Track);
        json.WriteNumber("instructions", segment.Instructions);
        json.WriteNumber("time_s", FigureText.Seconds(segment.Time));
    }

    private static void WriteWait(Utf8JsonWriter json, WaitGroup wait)
    {
        Span longest = wait.Longest;
        json.WriteString("operator", wait.Operator);
        json.WriteString("track", wait.Track);
        json.WriteString("instruction", wait.Name);
        json.WriteString("cause", Wait.Label(wait.Cause));
        json.WriteString("for_track", wait.ForTrack);
        json.WriteString("for_instruction", wait.ForName);
        json.WriteNumber("count", wait.Count);
        json.WriteNumber("count_on_critical_path", wait.OnPath);
        json.WriteNumber("total_s", FigureText.Seconds(wait.Total));
        json.WriteNumber("longest_s", FigureText.Seconds(longest.Wait!.Time));
        json.WriteNumber("longest_start_s", FigureText.Seconds(longest.Start));
        json.WriteNumber("longest_index", longest.Index);
        json.WriteNumber("longest_for_index", longest.Wait.Index);
    }

    private static void WriteArray<T>(Utf8JsonWriter json, string key, IEnumerable<T> items, Action<T> write)
    {
        json.WriteStartArray(key);
        foreach (T item in items)
        {
            json.WriteStartObject();
            write(item);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
