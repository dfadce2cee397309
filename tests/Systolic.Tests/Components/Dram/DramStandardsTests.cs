using Systolic.Components;

namespace Systolic.Tests.Components;

public class DramStandardsTests
{
    /// <summary>
    /// Gb/s per pin times the bits of a channel (128 of HBM2, 64 of HBM3 and DDR4, 32 of a DDR5 subchannel, 4 x 16 of LPDDR4, 16 of LPDDR5)
    /// is burst bytes x pseudo-channels over the ticks of a burst.
    /// </summary>
    [Theory]
    [InlineData("HBM2", "dramsim3", 32.0)] // 64 B in 2 ticks of 1 ns
    [InlineData("HBM2", "ramulator2", 32.0)] // 2 x 32 B in 2 ns
    [InlineData("HBM2E", "ramulator2", 51.2)]
    [InlineData("HBM3", "ramulator2", 51.2)] // 2 x 32 B in 4 x 0.3125 ns
    [InlineData("DDR4-3200", "ramulator2", 25.6)]
    [InlineData("DDR4-3200", "dramsim3", 25.397)] // a clock rounded to 0.63 ns
    [InlineData("DDR5-4800", "ramulator2", 19.231)] // rounded to 0.416 ns
    [InlineData("LPDDR4-2400", "dramsim3", 19.277)]
    [InlineData("LPDDR5-6400", "ramulator2", 12.8)]
    public void A_channel_moves_its_pins_times_their_rate(string name, string policy, double gigabytesPerSecond)
    {
        DramStandard standard = Get(name, policy);

        standard.Name.Should().Be(name);
        (standard.ChannelBytesPerSecond / 1e9).Should().BeApproximately(gigabytesPerSecond, 5e-4);
    }

    [Theory]
    [InlineData("HBM2", "dramsim3", "DRAMsim3 2981759, HBM2_8Gb_x128.ini")]
    [InlineData("HBM2", "ramulator2", "Ramulator 2.1 c5b1c3a, HBM2_8Gb, HBM2_2000Mbps")]
    [InlineData("HBM3", "dramsim3", "Ramulator 2.1 c5b1c3a, HBM3_16Gb_8hi, HBM3_6400Mbps")]
    [InlineData("ddr4-3200", "dramsim3", "DRAMsim3 2981759, DDR4_8Gb_x8_3200.ini")]
    [InlineData("DDR4-3200", "ramulator2-rowhit", "Ramulator 2.1 c5b1c3a, DDR4_8Gb_x8, DDR4_3200AA")]
    [InlineData("DDR5-4800", "ramulator2", "Ramulator 2.1 c5b1c3a, DDR5_16Gb_x8, DDR5_4800BN")]
    [InlineData("LPDDR4-2400", "ramulator2", "DRAMsim3 2981759, LPDDR4_8Gb_x16_2400.ini")]
    [InlineData("LPDDR5-6400", "ramulator2", "Ramulator 2.1 c5b1c3a, LPDDR5_16Gb_x16, LPDDR5_6400")]
    public void A_policy_gets_the_table_of_its_tool_or_the_only_one(string name, string policy, string source) => Get(name, policy).Source.Should().Be(source);

    /// <summary>HBM has a bus for rows and one for columns; its activate takes 2 ticks, of HBM3 3 half clocks; DDR5 commands take 2; banks refresh alone but in DDR4 and DDR5.</summary>
    [Fact]
    public void Commands_and_refreshes_are_those_of_the_standards()
    {
        DramStandards.All.Select(standard => standard.Bus).Should().Equal(
            new(Split: true),
            new(Split: true, ActivateTicks: 2),
            new(Split: true, ActivateTicks: 2),
            new(Split: true, ActivateTicks: 3, ColumnTicks: 2, HalfClock: true),
            new(Split: false),
            new(Split: false),
            new(Split: false, ActivateTicks: 2, ColumnTicks: 2),
            new(Split: false),
            new(Split: false, TwoPhase: new(LatestSecondHalf: 8, ClockPostamble: 1)));
        DramStandards.All.Select(standard => standard.RefreshesBanks).Should().Equal(true, true, true, true, false, false, false, true, true);
        DramStandards.All.Where(standard => standard.RefreshesPseudoChannelsTogether).Should().Equal(DramStandards.Hbm2E, DramStandards.Hbm3);
        DramStandards.Names.Should().Equal("HBM2", "HBM2E", "HBM3", "DDR4-3200", "DDR5-4800", "LPDDR4-2400", "LPDDR5-6400");
    }

    [Fact]
    public void Every_table_has_a_coarse_and_a_fine_mapping_that_reaches_all_of_it() => DramStandards.All.Should().AllSatisfy(standard =>
    {
        foreach (string mapping in new[] { "coarse", "fine" })
        {
            var device = new DramDevice(standard, 4, mapping, DramPolicy.Ramulator2);
            long bytes = 4L * standard.Organization.TotalBanks * standard.Organization.Rows * standard.Organization.RowBursts * standard.Organization.BurstBytes;
            device.Mapping.Locate(bytes - standard.Organization.BurstBytes).Row.Should().Be(standard.Organization.Rows - 1);
        }
    });

    [Fact]
    public void An_unknown_standard_is_refused_with_those_there_are() => FluentActions.Invoking(() => DramStandards.Get("HBM9", DramPolicy.Dramsim3)).Should().Throw<ArgumentException>()
        .WithMessage("standard: found \"HBM9\", expected one of: HBM2, HBM2E, HBM3, DDR4-3200, DDR5-4800, LPDDR4-2400, LPDDR5-6400.");

    private static DramStandard Get(string name, string policy) =>
        DramStandards.Get(name, new[] { DramPolicy.Dramsim3, DramPolicy.Ramulator2, DramPolicy.Ramulator2RowHit }.Single(rules => rules.Name == policy));
}
