using Systolic.Components;

namespace Systolic.Tests.Components;

/// <summary>A stream that repeats itself is skipped to its last repetition; nothing else may differ.</summary>
public class DramRepetitionTests
{
    private static readonly DramPolicy[] Policies = [DramPolicy.Dramsim3, DramPolicy.Ramulator2, DramPolicy.Ramulator2RowHit];

    [Theory]
    [InlineData("HBM2", "dramsim3", DramRefresh.AllBank, "seq_rd", 50_000)]
    [InlineData("HBM2", "dramsim3", DramRefresh.PerBank, "seq_wr", 20_000)]
    [InlineData("LPDDR5-6400", "dramsim3", DramRefresh.PerBank, "rw_alt", 30_000)]
    [InlineData("HBM2E", "ramulator2", DramRefresh.PerBank, "seq_rd", 20_000)]
    [InlineData("HBM3", "ramulator2", DramRefresh.Off, "seq_rd", 40_000)]
    [InlineData("LPDDR5-6400", "ramulator2", DramRefresh.Off, "seq_wr", 30_000)]
    public void A_stream_that_is_skipped_in_part_is_reported_as_the_stepped_one(string standard, string policy, DramRefresh refresh, string pattern, long requests)
    {
        DramDevice device = Device(standard, policy, refresh, 1);

        Skipped(device, pattern, requests).Should().BePositive();
        Run(device, pattern, requests, DramInjection.Greedy).Should().BeEquivalentTo(Run(device, pattern, requests, DramInjection.Greedy, DramFidelity.Reference));
    }

    [Fact]
    public void Channels_are_skipped_together()
    {
        DramDevice device = Device("HBM2", "dramsim3", DramRefresh.PerBank, 2);

        Skipped(device, "seq_rd", 40_000).Should().BePositive();
        Run(device, "seq_rd", 40_000, DramInjection.Greedy).Should().BeEquivalentTo(Run(device, "seq_rd", 40_000, DramInjection.Greedy, DramFidelity.Reference));
    }

    [Theory]
    [InlineData("HBM2", "dramsim3", "seq_wr", 300_000)]
    [InlineData("HBM2E", "dramsim3", "seq_rd", 300_000)]
    [InlineData("HBM3", "dramsim3", "seq_rd", 300_000)]
    [InlineData("LPDDR4-2400", "dramsim3", "seq_rd", 300_000)]
    [InlineData("HBM2E", "ramulator2", "seq_rd", 300_000)]
    [InlineData("HBM3", "ramulator2", "seq_rd", 500_000)]
    [InlineData("LPDDR5-6400", "ramulator2-rowhit", "seq_rd", 300_000)]
    public void Long_streams_are_reported_as_if_every_request_were_offered(string standard, string policy, string pattern, long requests)
    {
        DramDevice device = Device(standard, policy, DramRefresh.AllBank, 1);

        // Streams split by channel are offered request by request; with one channel they are the same stream.
        DramTrafficReport each = Run(device, pattern, requests, DramInjection.PerChannel);

        Skipped(device, pattern, requests).Should().BePositive();
        Run(device, pattern, requests, DramInjection.Greedy).Should().BeEquivalentTo(each with { Injection = "greedy" });
    }

    [Theory]
    [InlineData("rand@64")]
    [InlineData("row_conflict")]
    [InlineData("rd7wr1@64")]
    public void Streams_without_a_common_distance_are_not_skipped(string pattern) => Skipped(Device("HBM2", "dramsim3", DramRefresh.Off, 1), pattern, 60_000).Should().Be(0);

    [Fact]
    public void A_mapping_with_bits_above_the_row_is_not_skipped()
    {
        DramPolicy policy = DramPolicy.Dramsim3 with { Refresh = DramRefresh.Off };

        // The highest bit of the address chooses among banks, so that a higher address is not always another row of the same bank.
        Skipped(new DramDevice(DramStandards.Hbm2Legacy, 1, "co5 ch0 ba2 bg1 ro15 bg1", policy), "seq_rd", 60_000).Should().Be(0);
        Skipped(new DramDevice(DramStandards.Hbm2Legacy, 1, "co5 ch0 ba2 bg2 ro15", policy), "seq_rd", 60_000).Should().BePositive();
    }

    [Fact]
    public void A_stream_that_leaves_the_memory_is_refused_as_before()
    {
        DramDevice device = Device("HBM2", "dramsim3", DramRefresh.AllBank, 1);
        Action run = () => Run(device, "seq_rd", device.Mapping.Bursts + 1, DramInjection.Greedy);

        run.Should().Throw<ArgumentOutOfRangeException>().WithMessage("*the last byte of the memory*");
    }

    private static DramDevice Device(string standard, string policy, DramRefresh refresh, int channels)
    {
        DramPolicy rules = Policies.Single(one => one.Name == policy) with { Refresh = refresh };
        return new DramDevice(DramStandards.Get(standard, rules), channels, "fine", rules);
    }

    private static long Skipped(DramDevice device, string pattern, long requests)
    {
        var source = new RequestSource(device, DramPattern.Parse(pattern, device), requests);
        var driver = new TrafficDriver(DramChannels.Create(device, DramFidelity.Fast), source, device, DramInjection.Greedy, new LatencyHistogram());
        driver.Run(TestContext.Current.CancellationToken);
        return driver.Skipped;
    }

    private static DramTrafficReport Run(DramDevice device, string pattern, long requests, DramInjection injection, DramFidelity fidelity = DramFidelity.Fast) =>
        DramTraffic.Run(device, DramPattern.Parse(pattern, device), requests, injection, fidelity, TestContext.Current.CancellationToken);
}
