using System.Text.Encodings.Web;
using System.Text.Json;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>Writes the spans of runs in the Chrome trace event format, which Perfetto opens: a process per machine, a thread per engine, queue or link, an arrow per semaphore that was waited for.</summary>
/// <remarks>
/// An arrow goes from the instruction whose semaphore ended a wait to the one that waited; semaphores that came in time have none.
/// Complete events with start and duration in microseconds, exact to the femtosecond. Transfers of a queue are in flight together; those that
/// overlap are shown on further threads of the queue's name, for events of one thread must nest.
/// </remarks>
public static class PerfettoTraceWriter
{
    /// <summary>Spans of one machine that are written unless told otherwise: about 60 MB of text with their arrows.</summary>
    public const int DefaultLimit = 250_000;

    private static readonly JsonWriterOptions Options = new() { NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the runs' spans, of each at most the <paramref name="limit"/> that start first.</summary>
    /// <returns>How many spans were left out; the file says so too, under "otherData".</returns>
    public static long Write(Stream output, ReadOnlySpan<RunReport> reports, int limit = DefaultLimit)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        (long leftOut, int arrows) = (0, 0);
        using var json = new Utf8JsonWriter(output, Options);
        json.WriteStartObject();
        json.WriteString("displayTimeUnit", "ns");
        json.WriteStartArray("traceEvents");
        for (int i = 0; i < reports.Length; i++)
        {
            leftOut += Math.Max(0, reports[i].Trace.Spans.Length - limit);
            arrows = WriteProcess(json, reports[i], i + 1, limit, arrows);
        }

        json.WriteEndArray();
        json.WriteStartObject("otherData");
        json.WriteNumber("spansLeftOut", leftOut);
        json.WriteEndObject();
        json.WriteEndObject();
        return leftOut;
    }

    /// <summary>Writes a machine; arrows are numbered through, from those written before.</summary>
    private static int WriteProcess(Utf8JsonWriter json, RunReport report, int process, int limit, int arrows)
    {
        WriteName(json, "process_name", process, 0, $"{report.Machine.Name}: {report.Model}, {report.Phase}");
        var lanes = new Dictionary<string, List<(int Thread, SimTime Free)>>(StringComparer.Ordinal);
        var written = new Dictionary<(string Track, SimTime Start), int>();
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
            written[(span.Track, span.Start)] = own[lane].Thread;
            if (span.Wait is { IsSignal: true } wait && written.TryGetValue((wait.Track, span.Start - wait.Since), out int from))
            {
                arrows++;
                WriteArrow(json, "s", wait, arrows, process, from, span.Start - wait.Since);
                WriteArrow(json, "f", wait, arrows, process, own[lane].Thread, span.Start);
            }
        }

        return arrows;

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
        if (span.Wait is { } wait)
        {
            json.WriteStartObject("args");
            json.WriteNumber("waited_us", FigureText.Microseconds(wait.Time));
            json.WriteString("for", wait.Reason);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    /// <summary>Begins or ends an arrow at the start of a span, which it binds to; it is drawn from the end of the one to the start of the other.</summary>
    private static void WriteArrow(Utf8JsonWriter json, string phase, Wait wait, int id, int process, int thread, SimTime at)
    {
        Start(json, phase, Wait.Label(wait.Cause), process, thread);
        json.WriteString("cat", "semaphore");
        json.WriteNumber("id", id);
        json.WriteNumber("ts", FigureText.Microseconds(at));
        if (phase == "f")
        {
            json.WriteString("bp", "e");
        }

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
