using Systolic.Units;

namespace Systolic.Tests.Units;

public class QuantityTests
{
    [Fact]
    public void Counts_overflow_with_an_error()
    {
        FluentActions.Invoking(() => new Bytes(long.MaxValue) + new Bytes(1)).Should().Throw<OverflowException>();
        FluentActions.Invoking(() => new Bytes(long.MinValue) - new Bytes(1)).Should().Throw<OverflowException>();
        FluentActions.Invoking(() => new Cycles(long.MaxValue / 2 + 1) * 2).Should().Throw<OverflowException>();
        FluentActions.Invoking(() => new Cycles(long.MaxValue) + new Cycles(1)).Should().Throw<OverflowException>();
        FluentActions.Invoking(() => new MacCount(long.MaxValue) * 2).Should().Throw<OverflowException>();
        FluentActions.Invoking(() => new SimTime(long.MaxValue) + new SimTime(1)).Should().Throw<OverflowException>();
    }

    [Fact]
    public void Counts_compare_by_value()
    {
        (new Bytes(1) < new Bytes(2)).Should().BeTrue();
        (new Cycles(2) >= new Cycles(2)).Should().BeTrue();
        SimTime.Max(new SimTime(3), new SimTime(4)).Should().Be(new SimTime(4));
        MacCount.Min(new MacCount(3), new MacCount(4)).Should().Be(new MacCount(3));
    }

    [Fact]
    public void The_time_axis_ends_after_two_and_a_half_hours()
    {
        SimTime.FromSeconds(9_000).Seconds.Should().BeApproximately(9_000, 1e-9); // 2.5 h
        FluentActions.Invoking(() => SimTime.FromSeconds(9_300)).Should().Throw<OverflowException>(); // 2^63 fs is 9,223 s
    }

    [Fact]
    public void Factories_name_their_unit()
    {
        SimTime.FromNanoseconds(1.5).Value.Should().Be(1_500_000);
        SimTime.FromMicroseconds(2).Microseconds.Should().Be(2);
        Bytes.FromKibibytes(192).Should().Be(new Bytes(196_608));
        Bytes.FromMebibytes(24).Should().Be(new Bytes(25_165_824));
        Frequency.FromGigahertz(1.12).Hertz.Should().Be(1_120_000_000);
        Energy.FromPicojoules(2).Joules.Should().BeApproximately(2e-12, 1e-27);
    }

    [Fact]
    public void Power_over_time_is_energy_and_back()
    {
        var time = SimTime.FromMicroseconds(500);

        Power.FromWatts(400).Over(time).Joules.Should().BeApproximately(0.2, 1e-12); // 400 W x 0.5 ms
        Energy.FromJoules(0.2).Over(time).Watts.Should().BeApproximately(400, 1e-9);
        Energy.FromJoules(1).Over(SimTime.Zero).Should().Be(Power.Zero);
    }

    [Fact]
    public void A_multiply_accumulate_is_two_flops() => new MacCount(3).Flops.Should().Be(6);
}
