using System.Text.Encodings.Web;
using System.Text.Json;

namespace Systolic.Components;

/// <summary>Writes a <see cref="DramTrafficReport"/> as JSON; equal runs give equal bytes.</summary>
public static class DramTrafficWriter
{
    private const int PicosecondsPerNanosecond = 1000;
    private static readonly JsonWriterOptions Options = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the memory, the stream, and what it took.</summary>
    public static void WriteJson(Stream output, DramTrafficReport report)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(report);
        using (var json = new Utf8JsonWriter(output, Options))
        {
            json.WriteStartObject();
            WriteMemory(json, report.Device);
            WriteRun(json, report);
            json.WriteStartObject("total");
            WriteCounts(json, report.Counts);
            json.WriteEndObject();
            json.WriteStartArray("channels");
            foreach (DramCounts channel in report.Channels)
            {
                json.WriteStartObject();
                WriteCounts(json, channel);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        output.Write("\n"u8);
    }

    private static void WriteMemory(Utf8JsonWriter json, DramDevice device)
    {
        json.WriteString("standard", device.Standard.Name);
        json.WriteString("source", device.Standard.Source);
        json.WriteNumber("data_rate_gbps_per_pin", device.Standard.GigabitsPerPin);
        json.WriteNumber("tick_ns", device.Standard.TickPicoseconds / PicosecondsPerNanosecond);
        json.WriteNumber("burst_bytes", device.Standard.Organization.BurstBytes);
        json.WriteNumber("channel_count", device.Channels);
        json.WriteString("mapping", device.Mapping.Text);
        json.WriteString("policy", device.Policy.Name);
        json.WriteString("refresh", device.Policy.Refresh switch { DramRefresh.AllBank => "all-bank", DramRefresh.PerBank => "per-bank", _ => "off" });
    }

    private static void WriteRun(Utf8JsonWriter json, DramTrafficReport report)
    {
        json.WriteString("pattern", report.Pattern);
        json.WriteString("injection", report.Injection);
        json.WriteNumber("requests", report.Requests);
        json.WriteNumber("cycles_accept_all", report.AcceptTicks);
        json.WriteNumber("cycles_to_complete", report.Ticks);
        json.WriteNumber("achieved_GBps", report.BytesPerSecond / 1e9);
        json.WriteNumber("peak_GBps", report.Device.PeakBytesPerSecond / 1e9);
        json.WriteNumber("fraction_of_peak", report.FractionOfPeak);
        json.WriteNumber("avg_read_latency_cycles", report.MeanReadLatency);
        json.WriteNumber("p99_read_latency_cycles", report.P99ReadLatency);
        json.WriteNumber("max_read_latency_cycles", report.MaximumReadLatency);
    }

    private static void WriteCounts(Utf8JsonWriter json, DramCounts counts)
    {
        json.WriteNumber("reads", counts.Reads);
        json.WriteNumber("writes", counts.Writes);
        json.WriteNumber("row_hits", counts.RowHits);
        json.WriteNumber("row_misses", counts.RowMisses);
        json.WriteNumber("row_conflicts", counts.RowConflicts);
        json.WriteNumber("merged", counts.Merged);
        json.WriteNumber("activates", counts.Activates);
        json.WriteNumber("precharges", counts.Precharges);
        json.WriteNumber("refreshes_all_bank", counts.RefreshesAll);
        json.WriteNumber("refreshes_per_bank", counts.RefreshesBank);
    }
}
