using System.Globalization;
using System.Text.Json;

namespace Systolic.Reporting;

/// <summary>Writes what changed between two runs as Markdown, as JSON, schema "systolic-diff/1", and as comma-separated values (RFC 4180).</summary>
public static class RunDiffWriter
{
    /// <summary>The value of the key "schema".</summary>
    public const string Schema = "systolic-diff/1";

    /// <summary>Writes a heading, the sentence and a table for each section.</summary>
    public static void WriteMarkdown(TextWriter output, RunDiff diff)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(diff);
        output.Write($"# From {diff.Before.Title} to {diff.After.Title}\n\n{diff.Summary}\n");
        foreach (DiffSection section in diff.Sections.Where(section => section.Rows.Length > 0))
        {
            bool notes = section.Rows.Any(row => row.Note.Length > 0);
            var table = new MarkdownTable(["", .. notes ? (string[])["mostly"] : [], "before", "after", "change", "ratio"], texts: notes ? 2 : 1);
            foreach (DiffRow row in section.Rows)
            {
                table.Add([row.Name, .. notes ? (string[])[row.Note] : [], section.Text(row.Before), section.Text(row.After), section.ChangeText(row), DiffSection.RatioText(row)]);
            }

            MarkdownReportWriter.Section(output, char.ToUpperInvariant(section.Title[0]) + section.Title[1..], table);
        }
    }

    /// <summary>Writes both runs and what changed; keys end in their unit, a change without a ratio has none.</summary>
    public static void WriteJson(Stream output, RunDiff diff)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(diff);
        using (var json = new Utf8JsonWriter(output, JsonReportWriter.Options))
        {
            json.WriteStartObject();
            json.WriteString("schema", Schema);
            json.WriteString("before", diff.Before.Title);
            json.WriteString("after", diff.After.Title);
            foreach (DiffSection section in diff.Totals.Concat(diff.Sections))
            {
                WriteSection(json, section);
            }

            json.WriteEndObject();
        }

        output.Write("\n"u8);
    }

    /// <summary>Writes a line per row of each section.</summary>
    public static void WriteCsv(TextWriter output, RunDiff diff)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(diff);
        CsvReportWriter.WriteLine(output, ["section", "name", "unit", "before", "after", "change", "ratio", "mostly"]);
        foreach (DiffSection section in diff.Totals.Concat(diff.Sections))
        {
            foreach (DiffRow row in section.Rows)
            {
                CsvReportWriter.WriteLine(output, [section.Title, row.Name, UnitOf(section), Text(row.Before), Text(row.After), Text(row.Change), Text(row.Ratio), row.Note]);
            }
        }
    }

    private static void WriteSection(Utf8JsonWriter json, DiffSection section)
    {
        string unit = UnitOf(section);
        json.WriteStartArray(FigureText.Key(section.Title));
        foreach (DiffRow row in section.Rows)
        {
            json.WriteStartObject();
            json.WriteString("name", row.Name);
            json.WriteFigure("before_" + unit, row.Before ?? double.NaN);
            json.WriteFigure("after_" + unit, row.After ?? double.NaN);
            json.WriteFigure("change_" + unit, row.Change);
            json.WriteFigure("ratio", row.Ratio ?? double.NaN);
            if (row.Parts is { } parts)
            {
                WriteSection(json, parts);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string UnitOf(DiffSection section) => section.Unit switch
    {
        DiffUnit.Seconds => "s",
        DiffUnit.Joules => "j",
        _ => "bytes",
    };

    private static string Text(double? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "";
}
