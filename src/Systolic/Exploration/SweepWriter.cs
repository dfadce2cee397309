using System.Globalization;
using System.Text.Json;

namespace Systolic.Exploration;

/// <summary>Writes the table of a sweep.</summary>
public static class SweepWriter
{
    /// <summary>As CSV (RFC 4180): a header, then a line per row; fields without a value are empty.</summary>
    public static void WriteCsv(TextWriter text, SweepResult result)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(result);
        SweepColumn[] columns = [.. result.Columns()];
        text.Write(string.Join(',', columns.Select(column => Quote(column.Name))) + "\n");
        foreach (SweepRow row in result.Rows)
        {
            text.Write(string.Join(',', columns.Select(column => Quote(column.Text?.Invoke(row) ?? Number(column, row)))) + "\n");
        }
    }

    /// <summary>As JSON lines: an object per row; keys without a value are left out.</summary>
    public static void WriteJsonLines(Stream stream, SweepResult result)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(result);
        SweepColumn[] columns = [.. result.Columns()];
        foreach (SweepRow row in result.Rows)
        {
            using (var json = new Utf8JsonWriter(stream))
            {
                json.WriteStartObject();
                foreach (SweepColumn column in columns)
                {
                    Write(json, column, row);
                }

                json.WriteEndObject();
            }

            stream.WriteByte((byte)'\n');
        }
    }

    private static void Write(Utf8JsonWriter json, SweepColumn column, SweepRow row)
    {
        if (column.Text?.Invoke(row) is { } text)
        {
            json.WriteString(column.Name, text);
        }
        else if (column.Number?.Invoke(row) is { } number && double.IsFinite(number))
        {
            json.WriteNumber(column.Name, number);
        }
    }

    private static string Number(SweepColumn column, SweepRow row) =>
        column.Number?.Invoke(row) is { } number && double.IsFinite(number) ? number.ToString("R", CultureInfo.InvariantCulture) : "";

    private static string Quote(string field) => field.AsSpan().IndexOfAny(",\"\r\n") < 0 ? field : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
