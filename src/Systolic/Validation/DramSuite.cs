using System.Collections.Immutable;
using Systolic.Components;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>What DRAMsim3 and Ramulator 2.1 made of exactly defined streams of requests, a run per row: the ticks to complete it are compared.</summary>
internal sealed class DramSuite : IValidationSuite
{
    private const long MostRequests = 1 << 26;
    private const double LargestFigure = 1e15;
    private const string Cycles = "cycles_to_complete";

    private static readonly ImmutableArray<string> Columns =
    [
        "id", "tool", "standard", "device", "channels", "mapping", "map_bits_low_first", "scheduler", "refresh", "pattern", "num_requests", "request_bytes", "injection",
        "cycles_accept_all", Cycles, "tck_ns", "achieved_GBps", "peak_GBps", "fraction_of_peak", "avg_read_latency_cycles", "p99_read_latency_cycles", "max_read_latency_cycles",
        "row_hits", "row_nonhits", "row_misses", "row_conflicts", "reads_issued", "writes_issued", "activates", "precharges", "refreshes",
        "e_act_pJ", "e_rd_pJ", "e_wr_pJ", "e_ref_pJ", "e_bg_pJ", "pJ_per_bit",
    ];

    /// <summary>Figures listed beside, to the decimals of the file.</summary>
    private static readonly ImmutableArray<(string Column, Func<DramTrafficReport, double> Figure)> Beside =
    [
        ("achieved_GBps", report => Math.Round(report.BytesPerSecond / 1e9, 3)),
        ("row_hits", report => report.Counts.RowHits),
        ("avg_read_latency_cycles", report => Math.Round(report.MeanReadLatency, 2)),
    ];

    private static readonly string[] Tools = ["DRAMsim3", "Ramulator 2.1"];
    private static readonly string[] Schedulers = ["FRFCFS (tool)", "FRFCFS", "FRFCFSRowHit"];
    private static readonly string[] Refreshes = ["all-bank", "per-bank", "off"];
    private static readonly ImmutableArray<DramPolicy> Policies = [DramPolicy.Dramsim3, DramPolicy.Ramulator2, DramPolicy.Ramulator2RowHit];

    /// <inheritdoc/>
    public string Name => "dram";

    /// <inheritdoc/>
    public void Score(string csv, string file, ValidationTally tally, CancellationToken cancellation)
    {
        var table = CsvTable.Parse(csv, file, Columns);
        Case?[] cases = [.. table.Rows.Select(ReadCase)];
        table.Finish();
        foreach (Case? one in cases)
        {
            Score(one!, tally, cancellation);
        }
    }

    private static void Score(Case one, ValidationTally tally, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        DramTrafficReport report = DramTraffic.Run(one.Device, one.Pattern, one.Requests, one.Injection, cancellation: cancellation);
        tally.Add(new ValidationRow(one.Group, one.Id, Cycles, one.Expected, report.Ticks));
        foreach (((string column, Func<DramTrafficReport, double> figure), double expected) in Beside.Zip(one.Beside))
        {
            if (!double.IsNaN(expected))
            {
                tally.Add(new ValidationRow(one.Group, one.Id, column, expected, figure(report)) { IsBeside = true });
            }
        }
    }

    private static Case? ReadCase(CsvRow row)
    {
        int tool = row.Choice("tool", Tools);
        int scheduler = row.Choice("scheduler", Schedulers);
        int refresh = row.Choice("refresh", Refreshes);
        if (tool >= 0 && scheduler >= 0 && (tool == 0) != (scheduler == 0))
        {
            row.Problem("scheduler", $"found {UnitText.Quote(row.Optional("scheduler"))}, which is not one of {row.Optional("tool")}");
        }

        int channels = (int)row.Integer("channels", 1, 1024);
        long requests = row.Integer("num_requests", 1, MostRequests);
        long bytes = row.Integer("request_bytes", 1, 1 << 16);
        double expected = row.Number(Cycles, 0, LargestFigure);
        ImmutableArray<double> beside = [.. Beside.Select(figure => row.Optional(figure.Column).Length == 0 ? double.NaN : row.Number(figure.Column, 0, LargestFigure))];
        return scheduler < 0 || refresh < 0
            ? null
            : Try(row, "standard", () => DramStandards.Get(row.Text("standard"), Policies[scheduler])) is { } standard
                && Try(row, "map_bits_low_first", () => new DramDevice(standard, channels, row.Text("map_bits_low_first"), Policies[scheduler] with { Refresh = (DramRefresh)refresh })) is { } device
                && Fits(row, standard, bytes)
                && Try(row, "pattern", () => DramPattern.Parse(row.Text("pattern"), device)) is { } pattern
                && Try(row, "injection", () => DramInjection.Parse(row.Text("injection"))) is { } injection
            ? new Case(row.Text("id"), $"{row.Text("tool")}/{row.Text("standard")}/{row.Text("pattern")}", device, pattern, requests, injection, expected, beside)
            : null;
    }

    private static bool Fits(CsvRow row, DramStandard standard, long bytes)
    {
        int burst = standard.Organization.BurstBytes;
        if (bytes != burst)
        {
            row.Problem("request_bytes", $"found {bytes}, expected the burst of {standard.Name}, {burst} bytes");
        }

        return bytes == burst;
    }

    private static T? Try<T>(CsvRow row, string column, Func<T> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (ArgumentException refused)
        {
            row.Problem(column, refused.Message);
            return null;
        }
    }

    private sealed record Case(
        string Id, string Group, DramDevice Device, DramPattern Pattern, long Requests, DramInjection Injection, double Expected, ImmutableArray<double> Beside);
}
