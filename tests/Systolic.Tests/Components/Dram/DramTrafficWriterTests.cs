using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Systolic.Components;

namespace Systolic.Tests.Components;

public class DramTrafficWriterTests
{
    /// <summary>24 bursts of 64 B in 96 ticks of 1 ns are 16 GB/s; two channels of 32 GB/s are 64, a quarter.</summary>
    [Fact]
    public void A_report_is_written_with_all_its_counts()
    {
        var device = new DramDevice(DramStandards.Hbm2Legacy, 2, "fine", DramPolicy.Dramsim3 with { Refresh = DramRefresh.PerBank });
        var report = new DramTrafficReport
        {
            Device = device,
            Pattern = "seq",
            Injection = "greedy",
            Requests = 30,
            AcceptTicks = 90,
            Ticks = 96,
            Channels = [Counts(1), Counts(100) with { Reads = 8, Writes = 9 }],
            MeanReadLatency = 30.5,
            P99ReadLatency = 40,
            MaximumReadLatency = 41,
        };

        Rounded(Written(report)).Should().Be($$"""
            {
              "standard": "HBM2",
              "source": "DRAMsim3 2981759, HBM2_8Gb_x128.ini",
              "data_rate_gbps_per_pin": 2,
              "tick_ns": 1,
              "burst_bytes": 64,
              "channel_count": 2,
              "mapping": "{{device.Mapping.Text}}",
              "policy": "dramsim3",
              "refresh": "per-bank",
              "pattern": "seq",
              "injection": "greedy",
              "requests": 30,
              "cycles_accept_all": 90,
              "cycles_to_complete": 96,
              "achieved_GBps": 16,
              "peak_GBps": 64,
              "fraction_of_peak": 0.25,
              "avg_read_latency_cycles": 30.5,
              "p99_read_latency_cycles": 40,
              "max_read_latency_cycles": 41,
              "total": {
                "reads": 11,
                "writes": 13,
                "row_hits": 707,
                "row_misses": 808,
                "row_conflicts": 909,
                "merged": 1010,
                "activates": 101,
                "precharges": 202,
                "refreshes_all_bank": 505,
                "refreshes_per_bank": 606
              },
              "channels": [
                {
                  "reads": 3,
                  "writes": 4,
                  "row_hits": 7,
                  "row_misses": 8,
                  "row_conflicts": 9,
                  "merged": 10,
                  "activates": 1,
                  "precharges": 2,
                  "refreshes_all_bank": 5,
                  "refreshes_per_bank": 6
                },
                {
                  "reads": 8,
                  "writes": 9,
                  "row_hits": 700,
                  "row_misses": 800,
                  "row_conflicts": 900,
                  "merged": 1000,
                  "activates": 100,
                  "precharges": 200,
                  "refreshes_all_bank": 500,
                  "refreshes_per_bank": 600
                }
              ]
            }

            """);
    }

    [Theory]
    [InlineData(DramRefresh.AllBank, "all-bank")]
    [InlineData(DramRefresh.Off, "off")]
    public void Refreshes_are_named(DramRefresh refresh, string name)
    {
        var device = new DramDevice(DramStandards.Hbm3, 1, "coarse", DramPolicy.Ramulator2 with { Refresh = refresh });
        DramTrafficReport report = DramTraffic.Run(device, DramPattern.Parse("seq_rd", device), 10, DramInjection.Greedy, cancellation: TestContext.Current.CancellationToken);

        Written(report).Should().Contain($"\"refresh\": \"{name}\"").And.Contain("\"tick_ns\": 0.3125,").And.Contain("\"requests\": 10,");
    }

    [Fact]
    public void Counts_since_a_moment_are_what_is_added_so_many_times()
    {
        DramCounts first = Counts(7), then = Counts(5);

        (first + then).Since(first, 1).Should().Be(then);
        (first + then).Since(first, 3).Should().Be(then + then + then);
    }

    /// <summary>Quotients of floating point to nine digits after the point.</summary>
    private static string Rounded(string text) =>
        Regex.Replace(text, @"\d+\.\d{10,}", number => Math.Round(double.Parse(number.Value, CultureInfo.InvariantCulture), 9).ToString(CultureInfo.InvariantCulture));

    private static DramCounts Counts(long unit) => new()
    {
        Activates = unit,
        Precharges = 2 * unit,
        Reads = 3 * unit,
        Writes = 4 * unit,
        RefreshesAll = 5 * unit,
        RefreshesBank = 6 * unit,
        RowHits = 7 * unit,
        RowMisses = 8 * unit,
        RowConflicts = 9 * unit,
        Merged = 10 * unit,
    };

    private static string Written(DramTrafficReport report)
    {
        using var text = new MemoryStream();
        DramTrafficWriter.WriteJson(text, report);
        return Encoding.UTF8.GetString(text.ToArray());
    }
}
