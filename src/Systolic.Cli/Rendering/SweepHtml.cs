using System.Text;
using System.Text.Json;
using Systolic.Exploration;

namespace Systolic.Cli.Rendering;

/// <summary>The interactive report of a sweep: one HTML file with its data and without anything from outside.</summary>
internal static class SweepHtml
{
    private const string Template = "SweepReport.html";
    private const string Place = "/*DATA*/";
    private const int MostRows = 20_000;

    /// <summary>Writes the report; of a large sweep the front and the first other feasible points.</summary>
    public static void Write(TextWriter text, Sweep sweep, SweepResult result)
    {
        using var reader = new StreamReader(typeof(SweepHtml).Assembly.GetManifestResourceStream(Template)!, Encoding.UTF8);
        string[] parts = reader.ReadToEnd().Split(Place);
        text.Write(parts[0]);
        text.Write(Data(sweep, result));
        text.Write(parts[1]);
    }

    // The default encoder escapes <, > and &, so no text can end the script.
    private static string Data(Sweep sweep, SweepResult result)
    {
        SweepRow[] rows = [.. result.Front.Rows.Concat(result.Rows.Where(row => row.IsFeasible)).Distinct(ReferenceEqualityComparer.Instance).Cast<SweepRow>().Take(MostRows)];
        SweepColumn[] columns = [.. result.Columns().Where(column => column.Name != "reason").Concat(result.Objectives).DistinctBy(column => column.Name)];
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("title", $"{sweep.Space.Workload.Model} on variants of {sweep.Space.MachineName}");
            json.WriteString("search", sweep.Search.ToString());
            json.WriteNumber("points", result.Rows.Length);
            json.WriteNumber("runs", result.Rows.Count(row => row.HasRun));
            json.WriteNumber("pruned", result.Pruned);
            Texts(json, "constraints", result.Goals.Constraints);
            Texts(json, "parameters", result.Parameters.Select(column => column.Name));
            Texts(json, "objectives", result.Objectives.Select(column => column.Name));
            Texts(json, "maximized", result.Objectives.Where((_, i) => result.Goals.Objectives[i].StartsWith("max ", StringComparison.Ordinal)).Select(column => column.Name));
            json.WriteStartObject("columns");
            foreach (SweepColumn column in columns)
            {
                json.WriteStartObject(column.Name);
                json.WriteString("unit", column.Unit);
                json.WriteStartArray("values");
                foreach (SweepRow row in rows)
                {
                    Value(json, column, row);
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Texts(Utf8JsonWriter json, string key, IEnumerable<string> texts)
    {
        json.WriteStartArray(key);
        foreach (string text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }

    private static void Value(Utf8JsonWriter json, SweepColumn column, SweepRow row)
    {
        if (column.Text is { } text)
        {
            json.WriteStringValue(text(row));
        }
        else if (column.Number!(row) is var number && double.IsFinite(number))
        {
            json.WriteNumberValue(number);
        }
        else
        {
            json.WriteNullValue();
        }
    }
}
