using System.Text.Encodings.Web;
using System.Text.Json;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>Writes the spans of runs in the Chrome trace event format, which Perfetto opens: a process per machine, a thread per engine or queue.</summary>
/// <remarks>
/// Complete events with start and duration in microseconds, exact to the femtosecond. Transfers of a queue are in flight together; those that
/// overlap are shown on further threads of the queue's name, for events of one thread must nest.
/// </remarks>
public static class PerfettoTraceWriter
{
    /// <summary>Spans of one machine that are written unless told otherwise: about 25 MB of text.</summary>
    public const int DefaultLimit = 250_000;

    private static readonly JsonWriterOptions Options = new() { NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the runs' spans, of each at most the <paramref name="limit"/> that start first.</summary>
    /// <returns>How many spans were left out; the file says so too, under "otherData".</returns>
    public static long Write(Stream output, ReadOnlySpan<RunReport> reports, int limit = DefaultLimit)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        long leftOut = 0;
        using var json = new Utf8JsonWriter(output, Options);
        json.WriteStartObject();
        json.WriteString("displayTimeUnit", "ns");
        json.WriteStartArray("traceEvents");
        for (int i = 0; i < reports.Length; i++)
        {
            leftOut += Math.Max(0, reports[i].Trace.Spans.Length - limit);
            WriteProcess(json, reports[i], i + 1, limit);
        }

        json.WriteEndArray();
        json.WriteStartObject("otherData");
        json.WriteNumber("spansLeftOut", leftOut);
        json.WriteEndObject();
        json.WriteEndObject();
        return leftOut;
    }

    private static void WriteProcess(Utf8JsonWriter json, RunReport report, int process, int limit)
    {
        WriteName(json, "process_name", process, 0, $"{report.Machine.Name}: {report.Model}, {report.Phase}");
        var lanes = new Dictionary<string, List<(int Thread, SimTime Free)>>(StringComparer.Ordinal);
        int threads = 0;
        foreach (string track in report.Trace.Engines.Select(engine => engine.Name).Concat(report.Trace.Spans.Select(span => span.Track)))
        {
            if (lanes.TryAdd(track, []))
            {
                AddLane(track);
            }
        }

        foreach (Span span in report.Trace.Spans.OrderBy(span => span.Start).Take(limit))
        {
            List<(int Thread, SimTime Free)> own = lanes[span.Track];
            int lane = own.FindIndex(candidate => candidate.Free <= span.Start);
            lane = lane >= 0 ? lane : AddLane(span.Track);
            own[lane] = (own[lane].Thread, span.Start + span.Duration);
            WriteSpan(json, span, process, own[lane].Thread);
        }

        int AddLane(string track)
        {
            threads++;
            lanes[track].Add((threads, SimTime.Zero));
            WriteName(json, "thread_name", process, threads, track);
            WriteSortIndex(json, process, threads);
            return lanes[track].Count - 1;
        }
    }

    private static void WriteSpan(Utf8JsonWriter json, Span span, int process, int thread)
    {
        Start(json, "X", span.Name, process, thread);
        json.WriteNumber("ts", FigureText.Microseconds(span.Start));
        json.WriteNumber("dur", FigureText.Microseconds(span.Duration));
        json.WriteEndObject();
    }

    private static void WriteName(Utf8JsonWriter json, string kind, int process, int thread, string name)
    {
        Start(json, "M", kind, process, thread);
        json.WriteStartObject("args");
        json.WriteString("name", name);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteSortIndex(Utf8JsonWriter json, int process, int thread)
    {
        Start(json, "M", "thread_sort_index", process, thread);
        json.WriteStartObject("args");
        json.WriteNumber("sort_index", thread);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Start(Utf8JsonWriter json, string phase, string name, int process, int thread)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("ph", phase);
        json.WriteNumber("pid", process);
        json.WriteNumber("tid", thread);
    }
}
