using Systolic.Components;

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

    private static string Refusal(Func<DramTiming, DramTiming> change) =>
        Refusal(() => new DramDevice(DramStandards.Hbm2 with { Timing = change(DramStandards.Hbm2.Timing) }, 1, "fine", DramPolicy.Ramulator2));

    private static string Refusal(Func<object> make)
    {
        Action act = () => make();
        return act.Should().Throw<ArgumentException>().Which.Message;
    }
}
