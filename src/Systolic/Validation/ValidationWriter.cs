using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Systolic.Validation;

/// <summary>Writes a <see cref="ValidationReport"/>; equal results give equal bytes.</summary>
public static class ValidationWriter
{
    private static readonly JsonWriterOptions Options = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes suite, groups and what was skipped as JSON.</summary>
    public static void WriteJson(Stream output, ValidationReport result)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(result);
        using (var json = new Utf8JsonWriter(output, Options))
        {
            json.WriteStartObject();
            json.WriteString("suite", result.Suite);
            json.WriteStartArray("groups");
            foreach (ValidationGroup group in result.Groups)
            {
                WriteGroup(json, group);
            }

            json.WriteEndArray();
            if (result.Classes.Length > 0)
            {
                json.WriteStartArray("classes");
                foreach (ValidationClass one in result.Classes)
                {
                    WriteGroup(json, one.Rows, one.TargetPercent);
                }

                json.WriteEndArray();
            }

            json.WriteStartArray("skipped");
            foreach (ValidationSkip skip in result.Skipped)
            {
                json.WriteStartObject();
                json.WriteString("reason", skip.Reason);
                json.WriteNumber("n", skip.Count);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        output.Write("\n"u8);
    }

    /// <summary>Writes a line per comparison as comma-separated values (RFC 4180).</summary>
    public static void WriteRows(TextWriter output, ValidationReport result)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(result);
        output.Write("id,column,expected,predicted,error_pct\r\n");
        foreach (ValidationRow row in result.Rows)
        {
            output.Write(string.Create(CultureInfo.InvariantCulture, $"{Quote(row.Id)},{Quote(row.Column)},{row.Expected},{row.Predicted},{row.ErrorPercent}\r\n"));
        }
    }

    private static void WriteGroup(Utf8JsonWriter json, ValidationGroup group, double? target = null)
    {
        json.WriteStartObject();
        json.WriteString("name", group.Name);
        json.WriteNumber("n", group.Count);
        json.WriteNumber("exact", group.Exact);
        json.WriteNumber("mape_pct", group.MeanPercent);
        json.WriteNumber("median_pct", group.MedianPercent);
        json.WriteNumber("max_pct", group.MaximumPercent);
        json.WriteNumber("bias_pct", group.BiasPercent);
        if (target is { } percent)
        {
            json.WriteNumber("target_pct", percent);
        }

        json.WriteEndObject();
    }

    private static string Quote(string cell) =>
        cell.AsSpan().IndexOfAny(",\"\r\n") < 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
