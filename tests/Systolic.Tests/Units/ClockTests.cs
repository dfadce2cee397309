using CsCheck;
using Systolic.Units;

namespace Systolic.Tests.Units;

public class ClockTests
{
    private static Clock Of(double gigahertz) => new(Frequency.FromGigahertz(gigahertz));

    [Theory]
    // floor(k x 1e15 / f) fs for k = 1e10 cycles and one more: 1e25 / 2.8e9 = 3,571,428,571,428,571.43; (1e25 + 1e15) / 2.8e9 = ...928,714.29
    [InlineData(2.8, 10_000_000_000, 3_571_428_571_428_571)]
    [InlineData(2.8, 10_000_000_001, 3_571_428_571_785_714)]
    [InlineData(1.12, 10_000_000_000, 8_928_571_428_571_428)]
    [InlineData(1.12, 10_000_000_001, 8_928_571_429_464_285)]
    [InlineData(1.4, 10_000_000_000, 7_142_857_142_857_142)]
    [InlineData(1.4, 10_000_000_001, 7_142_857_143_571_428)]
    public void Edges_are_exact_however_late(double gigahertz, long cycles, long femtoseconds) =>
        Of(gigahertz).At(new Cycles(cycles)).Value.Should().Be(femtoseconds);

    [Fact]
    public void Common_multiples_of_two_clocks_coincide_after_any_time()
    {
        // 2.8 : 1.12 : 1.4 GHz = 5 : 2 : 2.5; after n x 25 s each clock has ticked a whole number of times.
        foreach (long seconds in (long[])[1, 25, 9_000])
        {
            Of(2.8).At(new Cycles(2_800_000_000 * seconds)).Should().Be(SimTime.FromSeconds(seconds));
            Of(1.12).At(new Cycles(1_120_000_000 * seconds)).Should().Be(SimTime.FromSeconds(seconds));
            Of(1.4).At(new Cycles(1_400_000_000 * seconds)).Should().Be(SimTime.FromSeconds(seconds));
        }
    }

    [Fact]
    public void A_time_beyond_the_axis_is_refused() =>
        FluentActions.Invoking(() => Of(2.8).At(new Cycles(1_000_000_000_000_000))).Should().Throw<OverflowException>(); // 1e15 cycles are 357,143 s

    [Fact]
    public void A_petacycle_of_a_fast_clock_is_exact() =>
        new Clock(new Frequency(1_000_000_000_000_000)).At(new Cycles(1_000_000_000_000_001)).Value.Should().Be(1_000_000_000_000_001); // 1 fs a cycle

    [Fact]
    public void EdgeAtOrAfter_is_the_inverse_of_At() =>
        Gen.Select(Gen.Long[1_000_000, 10_000_000_000], Gen.Long[0, 10_000_000_000_000]).Sample((hertz, cycles) =>
        {
            var clock = new Clock(new Frequency(hertz));
            var bounded = new Cycles(Math.Min(cycles, hertz * 9_000)); // within the time axis
            return clock.EdgeAtOrAfter(clock.At(bounded)) == bounded;
        }, iter: 5_000, threads: 1);

    [Fact]
    public void EdgeAtOrAfter_is_the_first_edge_not_before_the_time() =>
        Gen.Select(Gen.Long[1_000_000, 10_000_000_000], Gen.Long[1, 1_000_000_000_000_000_000]).Sample((hertz, femtoseconds) =>
        {
            var clock = new Clock(new Frequency(hertz));
            var time = new SimTime(femtoseconds);
            Cycles edge = clock.EdgeAtOrAfter(time);
            return clock.At(edge) >= time && (edge == Cycles.Zero || clock.At(edge - new Cycles(1)) < time);
        }, iter: 5_000, threads: 1);

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void A_clock_without_ticks_is_refused(long hertz) =>
        FluentActions.Invoking(() => new Clock(new Frequency(hertz))).Should().Throw<ArgumentOutOfRangeException>();
}
