using Systolic.Components;
using Systolic.Units;

namespace Systolic.Tests.Components;

/// <summary>An array of 1 GHz that starts at half its rate and is full after 1,000 ns of work.</summary>
public class ArrayThrottleTests
{
    private static readonly Clock Gigahertz = new(Frequency.FromGigahertz(1));
    private readonly ArrayThrottle _throttle = new(new ThrottleSpec(0.5, SimTime.FromNanoseconds(1000)));

    [Fact]
    public void Work_warms_and_idling_cools()
    {
        Slow(100, 0).Should().Be(200, "half the rate");
        Slow(120, 200).Should().Be(200, "200 of 1,000 ns warm: 0.6 of the rate");
        Slow(140, 400).Should().Be(200, "400 ns warm: 0.7");
        Slow(150, 700).Should().Be(200, "600 ns less 100 of idling: 0.75");
        Slow(100, 2000).Should().Be(200, "1,100 ns of idling leave nothing of 700");
    }

    [Fact]
    public void The_rate_is_full_after_the_ramp_and_no_more()
    {
        Slow(900, 0).Should().Be(1800);
        Slow(900, 1800).Should().Be(900, "1,000 ns warm, not 1,800");
        Slow(170, 3000).Should().Be(200, "300 ns of idling leave 700: 0.85");
    }

    [Fact]
    public void Part_of_a_cycle_is_a_whole_one() => Slow(1, 0).Should().Be(2, "1 / 0.5");

    [Fact]
    public void A_rate_between_is_rounded_up()
    {
        Slow(100, 0).Should().Be(200);
        Slow(100, 200).Should().Be(167, "100 / 0.6 = 166.7");
    }

    [Fact]
    public void Products_beside_each_other_idle_from_the_later_end_on()
    {
        Slow(200, 0).Should().Be(400);
        Slow(70, 100).Should().Be(100, "400 ns warm: 0.7; it ends at 200, before the first");
        Slow(75, 400).Should().Be(100, "no idling since 400; 500 ns warm: 0.75");
    }

    private long Slow(long cycles, long nanoseconds) => _throttle.Slow(new Cycles(cycles), nanoseconds * 1_000_000, Gigahertz).Value;
}
