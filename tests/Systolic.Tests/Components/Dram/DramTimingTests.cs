using Systolic.Components;

namespace Systolic.Tests.Components;

/// <summary>Figures that can be derived by hand from the tables.</summary>
public class DramTimingTests
{
    [Theory]
    [InlineData("HBM2", 32)] // 1 tick into the bank queue + RCD 14 + CL 14 + burst 2 = 31, signalled in that tick, which is the 32nd.
    [InlineData("DDR4-3200", 50)] // 1 + 22 + 22 + 4 = 49.
    [InlineData("LPDDR4-2400", 42)] // 1 + 15 + 17 + 8 = 41.
    public void A_cold_read_of_dramsim3_takes_queue_activate_and_column(string standard, int ticks) => Probe(standard, DramPolicy.Dramsim3, "micro_cold").Ticks.Should().Be(ticks);

    [Theory]
    [InlineData("HBM2", 32)] // 1 + RCD 14 + 1 for the second tick of the activate + CL 14 + burst 2.
    [InlineData("HBM3", 109)] // 1 + RCD 62 + 1 (an activate of 3 ticks, a read of 2) + 1 to a rising edge + CL 40 + burst 4.
    [InlineData("DDR5-4800", 81)] // 1 + 36 + 0 (both of 2 ticks) + 36 + 8.
    public void A_cold_read_of_ramulator_takes_activate_and_column(string standard, int ticks) => Probe(standard, DramPolicy.Ramulator2, "micro_cold").Ticks.Should().Be(ticks);

    [Fact]
    public void One_bank_serves_a_row_per_cycle_time()
    {
        // 4 rows of one bank: activates 48 ticks apart, then the last column: 32 + 3 x 48.
        Probe("HBM2", DramPolicy.Dramsim3, "micro_conflict4").Ticks.Should().Be(32 + 3 * 48);
    }

    [Fact]
    public void Without_refresh_a_stream_fills_the_data_bus()
    {
        DramPolicy policy = DramPolicy.Dramsim3 with { Refresh = DramRefresh.Off };
        var device = new DramDevice(DramStandards.Hbm2Legacy, 1, "fine", policy);

        DramTrafficReport report = DramTraffic.Run(device, DramPattern.Parse("seq_rd", device), 20_000, DramInjection.Greedy, cancellation: TestContext.Current.CancellationToken);

        // 20,000 bursts of 2 ticks, and the 30 ticks before the first.
        report.Ticks.Should().BeInRange(40_030, 40_100);
        report.FractionOfPeak.Should().BeInRange(0.997, 1);
    }

    [Theory]
    [InlineData("seq_rd")]
    [InlineData("rand_rw@64")]
    [InlineData("rw_chunk@2048")]
    public void No_stream_beats_the_data_bus_and_every_request_is_accounted_for(string pattern)
    {
        foreach (DramStandard standard in DramStandards.All)
        {
            foreach (DramPolicy policy in (DramPolicy[])[DramPolicy.Dramsim3, DramPolicy.Ramulator2])
            {
                var device = new DramDevice(standard, 2, "fine", policy);
                string fitting = pattern.Replace("@64", "@" + standard.Organization.BurstBytes, StringComparison.Ordinal);
                DramTrafficReport report = DramTraffic.Run(device, DramPattern.Parse(fitting, device), 3000, DramInjection.Greedy, cancellation: TestContext.Current.CancellationToken);
                DramCounts counts = report.Counts;

                report.FractionOfPeak.Should().BeInRange(0.01, 1, standard.Source);
                (counts.RowHits + counts.RowMisses + counts.RowConflicts).Should().Be(counts.Reads + counts.Writes);

                // DRAMsim3 acknowledges writes at once: those of a queue (8 per bank) and of the buffer (32) may be unissued.
                (3000 - counts.Merged - counts.Reads - counts.Writes).Should().BeInRange(0, policy == DramPolicy.Dramsim3 ? 2 * (32 + 8 * standard.Organization.TotalBanks) : 0);
                counts.Activates.Should().BeGreaterThanOrEqualTo(counts.RowMisses + counts.RowConflicts - 1);
            }
        }
    }

    [Fact]
    public void Refreshes_come_at_their_interval()
    {
        var device = new DramDevice(DramStandards.Hbm2, 1, "fine", DramPolicy.Ramulator2);
        DramTrafficReport report = DramTraffic.Run(device, DramPattern.Parse("seq_rd", device), 30_000, DramInjection.Greedy, cancellation: TestContext.Current.CancellationToken);

        // Two pseudo-channels, each once in 3900 cycles.
        report.Counts.RefreshesAll.Should().BeInRange(2 * (report.Ticks / 3900) - 2, 2 * (report.Ticks / 3900));
        report.Counts.RefreshesBank.Should().Be(0);
    }

    [Fact]
    public void Hbm2e_keeps_the_times_of_hbm2()
    {
        DramTiming timing = DramStandards.Hbm2E.Timing;

        // At 3.2 Gb/s a tick is 0.625 ns: 14 ns are 22.4 ticks, so 23; 34 ns 54.4, so 55; 48 ns 76.8, so 77; 3900 ns 6240.
        (timing.Cl, timing.Ras, timing.Rc, timing.Refi, timing.CcdLong).Should().Be((23, 55, 77, 6240, 4));

        // 16 pseudo-channels of 64 bits at 3.2 Gb/s: 409.6 GB/s.
        new DramDevice(DramStandards.Hbm2E, 8, "fine", DramPolicy.Ramulator2).PeakBytesPerSecond.Should().BeApproximately(409.6e9, 1e3);
        new DramDevice(DramStandards.Hbm3, 16, "fine", DramPolicy.Ramulator2).PeakBytesPerSecond.Should().BeApproximately(819.2e9, 1e3);
    }

    private static DramTrafficReport Probe(string standard, DramPolicy policy, string name)
    {
        var device = new DramDevice(DramStandards.Get(standard, policy), 1, "coarse", policy);
        return DramTraffic.Run(device, DramPattern.Parse(name, device), 100, DramInjection.Greedy, cancellation: TestContext.Current.CancellationToken);
    }
}
