#:package Systolic@0.1.0
// Which instruction waited longest, and for what: the spans behind the timeline that --trace writes.
using Systolic.Accounting;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Units;
using Systolic.Workloads;

IMachine core = MachinePresets.Load("trn2-core");
RunReport report = core.Run(OperatorGraph.Of(new MatMul("gemm", 512, 1024, 1024, LeftTransposed: true)), new RunOptions { CollectSpans = true });

Console.WriteLine($"{report.Trace.Spans.Length} spans on {report.Trace.Spans.Select(span => span.Track).Distinct().Count()} tracks");
foreach (var track in report.Trace.Spans.GroupBy(span => span.Track).OrderBy(track => track.Key, StringComparer.Ordinal))
{
    Console.WriteLine($"  {track.Key,-16} {track.Count(),4} spans, busy {track.Aggregate(SimTime.Zero, (sum, span) => sum + span.Duration)}");
}

Span waited = report.Trace.Spans.Where(span => span.Wait is not null).MaxBy(span => span.Wait!.Time);
Console.WriteLine($"longest wait: {waited.Track} {waited.Name} at {waited.Start} after {waited.Wait!.Time} for {waited.Wait.Reason}");

using var timeline = new MemoryStream(); // or File.Create("trace.json"), for ui.perfetto.dev
PerfettoTraceWriter.Write(timeline, [report]);
Console.WriteLine(timeline.Length > 0 ? "timeline written" : "nothing written");
