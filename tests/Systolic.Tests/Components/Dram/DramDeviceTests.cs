using System.Reflection;
using Systolic.Components;
using static System.FormattableString;

namespace Systolic.Tests.Components;

public class DramDeviceTests
{
    [Fact]
    public void Zero_channels_are_refused() => Refusal(() => new DramDevice(DramStandards.Hbm2, 0, "fine", DramPolicy.Ramulator2))
        .Should().Be("channels: found 0, expected a power of two from 1 to 1024.");

    [Fact]
    public void A_row_that_closes_before_it_can_be_read_is_refused() => Refusal(timing => timing with { Ras = 13 })
        .Should().StartWith("timing.ras: found 13, expected a whole number from 14 to ");

    [Fact]
    public void Refreshes_without_a_pause_are_refused() => Refusal(timing => timing with { Refi = timing.Rfc }).Should().StartWith("timing.refi: found 350, expected a whole number from 351 to ");

    [Fact]
    public void A_command_longer_than_its_spacing_is_refused() => Refusal(
        () => new DramDevice(DramStandards.Hbm2 with { Bus = new(Split: true, ActivateTicks: 5) }, 1, "fine", DramPolicy.Ramulator2))
        .Should().Be("bus.activateTicks: found 5, expected a whole number from 1 to 4.");

    [Fact]
    public void A_queue_without_a_place_is_refused() => Refusal(() => new DramDevice(DramStandards.Hbm2, 1, "fine", DramPolicy.Ramulator2 with { ReadQueue = 0 }))
        .Should().StartWith("policy.readQueue: found 0, ");

    [Fact]
    public void Too_many_banks_are_refused() => Refusal(
        () => new DramDevice(DramStandards.Hbm3 with { Organization = DramStandards.Hbm3.Organization with { Banks = 8 } }, 1, "fine", DramPolicy.Ramulator2))
        .Should().Be("organization: banks of a channel: found 128, expected a whole number from 1 to 64.");

    [Fact]
    public void Refreshes_that_leave_no_time_to_read_are_reported_with_the_request_that_waits()
    {
        // Legal one by one, but 2 ticks between refreshes are less than activate to read: every row is closed again before it is read.
        DramStandard standard = DramStandards.Hbm2Legacy with { Timing = DramStandards.Hbm2Legacy.Timing with { Rfc = 398, Refi = 400 } };
        var device = new DramDevice(standard, 1, "fine", DramPolicy.Dramsim3);
        Action run = () => DramTraffic.Run(device, DramPattern.Parse("rand@64", device), 5000, DramInjection.Greedy, cancellation: TestContext.Current.CancellationToken);

        run.Should().Throw<InvalidOperationException>().WithMessage("No request was served for 1000000 ticks*read of address*");
    }

    /// <summary>Lower bounds over the table of HBM2: burst 2, activate of 2 ticks, Trcd 14 and 12, Tras 34, CCD 2, RRD 4, WTR 6, Trfc 350.</summary>
    [Theory]
    [InlineData("burst", 1)]
    [InlineData("cl", 1)]
    [InlineData("cwl", 0)]
    [InlineData("rcdRead", 1)]
    [InlineData("rcdWrite", 1)]
    [InlineData("rp", 2)]
    [InlineData("rpAll", 2)]
    [InlineData("ras", 14)]
    [InlineData("rc", 34)]
    [InlineData("ccdShort", 1)]
    [InlineData("ccdLong", 2)]
    [InlineData("ccdLongWrite", 2)]
    [InlineData("ccdStack", 1)]
    [InlineData("ccdStackWrite", 0)]
    [InlineData("rrdLong", 4)]
    [InlineData("faw", 4)]
    [InlineData("readToWrite", 1)]
    [InlineData("wtrShort", 0)]
    [InlineData("wtrLong", 6)]
    [InlineData("wr", 0)]
    [InlineData("rtp", 1)]
    [InlineData("ppd", 0)]
    [InlineData("rrefd", 0)]
    [InlineData("refreshBankSpacing", 0)]
    [InlineData("rfc", 1)]
    [InlineData("rfcBank", 1)]
    [InlineData("refi", 351)]
    [InlineData("refiBank", 1)]
    public void Every_time_has_its_range_and_is_named(string field, int least)
    {
        const int Longest = 1 << 28;
        new DramDevice(With(field, least), 1, "fine", DramPolicy.Ramulator2).Channels.Should().Be(1);
        Refusal(() => new DramDevice(With(field, Longest + 1), 1, "fine", DramPolicy.Ramulator2)).Should().Contain(Invariant($": found {Longest + 1}, expected a whole number from "));
        if (field != "burst") // a burst of no ticks is refused with the column command that must fit into it
        {
            Refusal(() => new DramDevice(With(field, least - 1), 1, "fine", DramPolicy.Ramulator2))
                .Should().Be(Invariant($"timing.{field}: found {least - 1}, expected a whole number from {least} to {Longest}."));
        }

        static DramStandard With(string field, int value)
        {
            DramTiming timing = DramStandards.Hbm2.Timing with { };
            typeof(DramTiming).GetProperty(field, BindingFlags.IgnoreCase | BindingFlags.Public | BindingFlags.Instance)!.SetValue(timing, value);
            return DramStandards.Hbm2 with { Timing = timing };
        }
    }

    [Theory]
    [InlineData("pseudoChannels", 64)]
    [InlineData("stacks", 64)]
    [InlineData("bankGroups", 64)]
    [InlineData("banks", 64)]
    [InlineData("rows", 1 << 30)]
    [InlineData("rowBursts", 1 << 16)]
    [InlineData("burstBytes", 1 << 16)]
    public void Every_size_is_a_power_of_two_and_is_named(string field, int most)
    {
        foreach (int found in new[] { 0, 3, most == 1 << 30 ? int.MaxValue : 2 * most })
        {
            Refusal(() => new DramDevice(With(found), 1, "fine", DramPolicy.Ramulator2)).Should().Be(Invariant($"organization.{field}: found {found}, expected a power of two from 1 to {most}."));
        }

        DramStandard With(int value)
        {
            DramOrganization parts = new(1, 1, 1, 1, 64, 64, 64);
            typeof(DramOrganization).GetProperty(field, BindingFlags.IgnoreCase | BindingFlags.Public | BindingFlags.Instance)!.SetValue(parts, value);
            return DramStandards.Hbm2 with { Organization = parts };
        }
    }

    [Theory]
    [InlineData("readQueue", 1)]
    [InlineData("writeQueue", 1)]
    [InlineData("bankQueue", 1)]
    [InlineData("idleWrites", 0)]
    [InlineData("rowHitCap", 1)]
    public void Every_size_of_a_policy_has_its_range_and_is_named(string field, int least)
    {
        new DramDevice(DramStandards.Hbm2, 1, "fine", With(least)).Channels.Should().Be(1);
        new DramDevice(DramStandards.Hbm2, 1, "fine", With(1 << 20)).Channels.Should().Be(1);
        Refusal(() => new DramDevice(DramStandards.Hbm2, 1, "fine", With(least - 1))).Should().Be(Invariant($"policy.{field}: found {least - 1}, expected a whole number from {least} to 1048576."));
        Refusal(() => new DramDevice(DramStandards.Hbm2, 1, "fine", With((1 << 20) + 1))).Should().StartWith(Invariant($"policy.{field}: found 1048577, "));

        DramPolicy With(int value)
        {
            DramPolicy policy = DramPolicy.Ramulator2 with { };
            typeof(DramPolicy).GetProperty(field, BindingFlags.IgnoreCase | BindingFlags.Public | BindingFlags.Instance)!.SetValue(policy, value);
            return policy;
        }
    }

    [Theory]
    [InlineData(0.5, 0.5, "")]
    [InlineData(1, 0, "")]
    [InlineData(0, 0, "policy.highWatermark: found 0, expected a share above 0, at most 1.")]
    [InlineData(1.5, 0, "policy.highWatermark: found 1.5, expected a share above 0, at most 1.")]
    [InlineData(0.5, 0.75, "policy.lowWatermark: found 0.75, expected a share from 0 to the high watermark.")]
    [InlineData(0.5, -0.5, "policy.lowWatermark: found -0.5, expected a share from 0 to the high watermark.")]
    public void Watermarks_are_shares_in_order(double high, double low, string refusal)
    {
        Action make = () => _ = new DramDevice(DramStandards.Hbm2, 1, "fine", DramPolicy.Ramulator2 with { HighWatermark = high, LowWatermark = low });
        if (refusal.Length == 0)
        {
            make.Should().NotThrow();
        }
        else
        {
            make.Should().Throw<ArgumentException>().Which.Message.Should().Be(refusal);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void A_tick_takes_a_time_above_0(double picoseconds) => Refusal(() => new DramDevice(DramStandards.Hbm2 with { TickPicoseconds = picoseconds }, 1, "fine", DramPolicy.Ramulator2))
        .Should().StartWith("tickPicoseconds: found ").And.EndWith(", expected a time above 0.");

    [Fact]
    public void A_column_command_fits_into_its_burst() => Refusal(
        () => new DramDevice(DramStandards.Hbm2 with { Bus = new(Split: true, ColumnTicks: 3) }, 1, "fine", DramPolicy.Ramulator2))
        .Should().Be("bus.columnTicks: found 3, expected a whole number from 1 to 2.");

    private static string Refusal(Func<DramTiming, DramTiming> change) =>
        Refusal(() => new DramDevice(DramStandards.Hbm2 with { Timing = change(DramStandards.Hbm2.Timing) }, 1, "fine", DramPolicy.Ramulator2));

    private static string Refusal(Func<object> make)
    {
        Action act = () => make();
        return act.Should().Throw<ArgumentException>().Which.Message;
    }
}
