using System.Globalization;
using Systolic.Components;

namespace Systolic.Cli.Rendering;

/// <summary>The result of a stream of memory requests.</summary>
/// <remarks>Plain lines, not a <see cref="TextTable"/>, whose drawing would take longer than a short run.</remarks>
internal static class DramTable
{
    private const int LabelWidth = 22;
    private const int CountWidth = 13;

    /// <summary>Writes the figures, then a line per channel.</summary>
    public static void Write(TextWriter output, DramTrafficReport report, double seconds)
    {
        DramDevice device = report.Device;
        DramCounts counts = report.Counts;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{device.Standard.Name} at {device.Standard.GigabitsPerPin:0.###} Gb/s per pin, {device.Channels} channel{(device.Channels == 1 ? "" : "s")}, mapping {device.Mapping.Text}, policy {device.Policy.Name}"));
        Line(output, "stream", $"{report.Pattern}, {Text.Count(report.Requests)} bursts of {device.Standard.Organization.BurstBytes} B, {report.Injection}");
        Line(output, "cycles", string.Create(CultureInfo.InvariantCulture, $"{report.Ticks:N0} of {device.Standard.TickPicoseconds / 1000:0.####} ns ({report.Seconds * 1e6:0.0##} us)"));
        Line(output, "bandwidth", string.Create(CultureInfo.InvariantCulture,
            $"{report.BytesPerSecond / 1e9:0.000} GB/s of {device.PeakBytesPerSecond / 1e9:0.0##}, {Text.Percent(report.FractionOfPeak)} of the peak"));
        Line(output, "read latency", string.Create(CultureInfo.InvariantCulture, $"mean {report.MeanReadLatency:0.00}, p99 {report.P99ReadLatency}, max {report.MaximumReadLatency} cycles"));
        Line(output, "rows", $"{Text.Count(counts.RowHits)} hits, {Text.Count(counts.RowMisses)} misses, {Text.Count(counts.RowConflicts)} conflicts");
        Line(output, "answered without", $"{Text.Count(counts.Merged)} requests, merged with one that waits");
        output.WriteLine(Cells("channel", ["reads", "writes", "activates", "precharges", "refreshes"]));
        for (int i = 0; i < report.Channels.Length; i++)
        {
            output.WriteLine(Cells(i.ToString(CultureInfo.InvariantCulture), Commands(report.Channels[i])));
        }

        output.WriteLine(Cells("all", Commands(counts)));
        Line(output, "simulated", string.Create(CultureInfo.InvariantCulture, $"{report.Requests / seconds:N0} requests/s in {seconds:0.00} s"));
    }

    private static string[] Commands(DramCounts counts) =>
        [Text.Count(counts.Reads), Text.Count(counts.Writes), Text.Count(counts.Activates), Text.Count(counts.Precharges), Text.Count(counts.RefreshesAll + counts.RefreshesBank)];

    private static string Cells(string label, IEnumerable<string> cells) => string.Concat(cells.Select(cell => cell.PadLeft(CountWidth)).Prepend(label.PadRight(8)));

    private static void Line(TextWriter output, string label, string text) => output.WriteLine(label.PadRight(LabelWidth) + text);
}
