using System.Text.Encodings.Web;
using System.Text.Json;

namespace Systolic.Reporting;

/// <summary>Writes runs as JSON, schema "systolic-report/1": an object per machine, and a comparison when there is one.</summary>
/// <remarks>Keys end in their unit; shares are between 0 and 1; figures of operators are of one execution unless named total; a figure without a finite value is null.</remarks>
public static class JsonReportWriter
{
    /// <summary>The value of the key "schema".</summary>
    public const string Schema = "systolic-report/1";

    internal static readonly JsonWriterOptions Options = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes one run. Equal reports give equal bytes.</summary>
    public static void Write(Stream output, RunReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        Write(output, [Explanation.Of(report)], null);
    }

    /// <summary>Writes one run with its explanation. Equal explanations give equal bytes.</summary>
    public static void Write(Stream output, Explanation explanation)
    {
        ArgumentNullException.ThrowIfNull(explanation);
        Write(output, [explanation], null);
    }

    /// <summary>Writes both runs and what the comparison derives. Equal comparisons give equal bytes.</summary>
    public static void Write(Stream output, Comparison comparison)
    {
        ArgumentNullException.ThrowIfNull(comparison);
        Write(output, [Explanation.Of(comparison.Report), Explanation.Of(comparison.Baseline)], comparison);
    }

    private static void Write(Stream output, ReadOnlySpan<Explanation> runs, Comparison? comparison)
    {
        ArgumentNullException.ThrowIfNull(output);
        using (var json = new Utf8JsonWriter(output, Options))
        {
            json.WriteStartObject();
            json.WriteString("schema", Schema);
            json.WriteStartArray("machines");
            foreach (Explanation run in runs)
            {
                RunReportJson.Write(json, run);
            }

            json.WriteEndArray();
            if (comparison is not null)
            {
                WriteComparison(json, comparison);
            }

            json.WriteEndObject();
        }

        output.Write("\n"u8);
    }

    private static void WriteComparison(Utf8JsonWriter json, Comparison comparison)
    {
        json.WriteStartObject("comparison");
        json.WriteString("machine", comparison.Report.Machine.Name);
        json.WriteString("baseline", comparison.Baseline.Machine.Name);
        json.WriteFigure("speed_up", comparison.SpeedUp);
        json.WriteFigure("energy_gain", comparison.EnergyGain);
        json.WriteFigure("energy_delay_gain", comparison.EnergyDelayGain);
        json.WriteFigure("speed_up_at_equal_power", comparison.SpeedUpAtEqualPower);
        json.WriteFigure("speed_up_at_equal_area", comparison.SpeedUpAtEqualArea ?? double.NaN);
        json.WriteStartObject("machine_over_baseline");
        foreach (ComparisonRow row in comparison.Rows)
        {
            if (row.Quotient is { } quotient)
            {
                json.WriteFigure(FigureText.Key(row.Name), quotient);
            }
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }
}
