using Systolic.Units;

namespace Systolic.Tests.Units;

/// <summary>Operators and units of every quantity, value by value: what a mutation of one of them must break.</summary>
public sealed class QuantityArithmeticTests
{
    [Theory]
    [InlineData("2 B", 2)]
    [InlineData("2 KiB", 2048)]
    [InlineData("2 MiB", 2L << 20)]
    [InlineData("2 GiB", 2L << 30)]
    [InlineData("2 TiB", 2L << 40)]
    [InlineData("2 kB", 2_000)]
    [InlineData("2 MB", 2_000_000)]
    [InlineData("2 GB", 2_000_000_000)]
    public void Sizes_are_read_in_every_unit(string text, long bytes) => Bytes.Parse(text).Value.Should().Be(bytes);

    [Theory]
    [InlineData("2 fs", 2)]
    [InlineData("2 ps", 2_000)]
    [InlineData("2 ns", 2_000_000)]
    [InlineData("2 us", 2_000_000_000)]
    [InlineData("2 ms", 2_000_000_000_000)]
    [InlineData("2 s", 2_000_000_000_000_000)]
    public void Times_are_read_and_printed_in_every_unit(string text, long femtoseconds)
    {
        SimTime.Parse(text).Value.Should().Be(femtoseconds);
        new SimTime(femtoseconds).ToString().Should().Be(text);
    }

    [Theory]
    [InlineData("2 pJ", 2e-12)]
    [InlineData("2 nJ", 2e-9)]
    [InlineData("2 uJ", 2e-6)]
    [InlineData("2 mJ", 2e-3)]
    [InlineData("2 J", 2)]
    [InlineData("2 kJ", 2e3)]
    [InlineData("2 MJ", 2e6)]
    public void Energies_are_read_and_printed_in_every_unit(string text, double joules)
    {
        Energy.Parse(text).Joules.Should().Be(joules);
        Energy.FromJoules(joules).ToString().Should().Be(text);
    }

    [Theory]
    [InlineData("2 B/s")]
    [InlineData("2 kB/s")]
    [InlineData("2 MB/s")]
    [InlineData("2 GB/s")]
    [InlineData("2 TB/s")]
    public void Bandwidths_print_as_they_read(string text) => Bandwidth.Parse(text).ToString().Should().Be(text);

    [Theory]
    [InlineData("2 Hz", 2)]
    [InlineData("2 kHz", 2_000)]
    [InlineData("2 MHz", 2_000_000)]
    [InlineData("2 GHz", 2_000_000_000)]
    public void Frequencies_are_read_and_printed_in_every_unit(string text, long hertz)
    {
        Frequency.Parse(text).Hertz.Should().Be(hertz);
        new Frequency(hertz).ToString().Should().Be(text);
    }

    [Fact]
    public void Counts_add_subtract_multiply_and_compare()
    {
        (new Bytes(5) + new Bytes(3), new Bytes(5) - new Bytes(3), new Bytes(5) * 3).Should().Be((new Bytes(8), new Bytes(2), new Bytes(15)));
        (new SimTime(5) + new SimTime(3), new SimTime(5) - new SimTime(3), new SimTime(5) * 3).Should().Be((new SimTime(8), new SimTime(2), new SimTime(15)));
        (new Cycles(5) + new Cycles(3), new Cycles(5) - new Cycles(3), new Cycles(5) * 3).Should().Be((new Cycles(8), new Cycles(2), new Cycles(15)));
        (new MacCount(5) + new MacCount(3), new MacCount(5) - new MacCount(3), new MacCount(5) * 3).Should().Be((new MacCount(8), new MacCount(2), new MacCount(15)));
        (Energy.FromJoules(6) + Energy.FromJoules(3), Energy.FromJoules(6) - Energy.FromJoules(3), Energy.FromJoules(6) * 3, Energy.FromJoules(6) / Energy.FromJoules(3))
            .Should().Be((Energy.FromJoules(9), Energy.FromJoules(3), Energy.FromJoules(18), 2.0));
    }

    // Of a smaller and a larger one, and of equals: <, >, <=, >=.
    [Theory]
    [InlineData(2, 3, true, false, true, false)]
    [InlineData(3, 2, false, true, false, true)]
    [InlineData(3, 3, false, false, true, true)]
    public void Quantities_compare_as_their_numbers(long left, long right, bool less, bool more, bool atMost, bool atLeast)
    {
        (bool, bool, bool, bool) expected = (less, more, atMost, atLeast);
        (new Bytes(left) < new Bytes(right), new Bytes(left) > new Bytes(right), new Bytes(left) <= new Bytes(right), new Bytes(left) >= new Bytes(right)).Should().Be(expected);
        (new SimTime(left) < new SimTime(right), new SimTime(left) > new SimTime(right), new SimTime(left) <= new SimTime(right), new SimTime(left) >= new SimTime(right)).Should().Be(expected);
        (new Cycles(left) < new Cycles(right), new Cycles(left) > new Cycles(right), new Cycles(left) <= new Cycles(right), new Cycles(left) >= new Cycles(right)).Should().Be(expected);
        (new MacCount(left) < new MacCount(right), new MacCount(left) > new MacCount(right), new MacCount(left) <= new MacCount(right), new MacCount(left) >= new MacCount(right)).Should().Be(expected);
        (Energy.FromJoules(left) < Energy.FromJoules(right), Energy.FromJoules(left) > Energy.FromJoules(right), Energy.FromJoules(left) <= Energy.FromJoules(right), Energy.FromJoules(left) >= Energy.FromJoules(right)).Should().Be(expected);
        (Bytes.Min(new(left), new(right)).Value, Bytes.Max(new(left), new(right)).Value).Should().Be((Math.Min(left, right), Math.Max(left, right)));
        (SimTime.Min(new(left), new(right)).Value, SimTime.Max(new(left), new(right)).Value).Should().Be((Math.Min(left, right), Math.Max(left, right)));
        (Cycles.Min(new(left), new(right)).Value, Cycles.Max(new(left), new(right)).Value).Should().Be((Math.Min(left, right), Math.Max(left, right)));
        (MacCount.Min(new(left), new(right)).Value, MacCount.Max(new(left), new(right)).Value).Should().Be((Math.Min(left, right), Math.Max(left, right)));
        new Bytes(left).CompareTo(new(right)).Should().Be(left.CompareTo(right));
        new SimTime(left).CompareTo(new(right)).Should().Be(left.CompareTo(right));
        new Cycles(left).CompareTo(new(right)).Should().Be(left.CompareTo(right));
        new MacCount(left).CompareTo(new(right)).Should().Be(left.CompareTo(right));
        Energy.FromJoules(left).CompareTo(Energy.FromJoules(right)).Should().Be(left.CompareTo(right));
    }

    [Fact]
    public void Counts_beyond_64_bits_are_refused()
    {
        Action[] beyond =
        [
            () => _ = new Bytes(long.MaxValue) + new Bytes(1), () => _ = new Bytes(long.MinValue) - new Bytes(1), () => _ = new Bytes(long.MaxValue) * 2,
            () => _ = new SimTime(long.MaxValue) + new SimTime(1), () => _ = new SimTime(long.MinValue) - new SimTime(1), () => _ = new SimTime(long.MaxValue) * 2,
            () => _ = new Cycles(long.MaxValue) + new Cycles(1), () => _ = new Cycles(long.MinValue) - new Cycles(1), () => _ = new Cycles(long.MaxValue) * 2,
            () => _ = new MacCount(long.MaxValue) + new MacCount(1), () => _ = new MacCount(long.MinValue) - new MacCount(1), () => _ = new MacCount(long.MaxValue) * 2,
        ];

        beyond.Should().AllSatisfy(action => action.Should().Throw<OverflowException>());
    }

    [Fact]
    public void The_nearest_names_come_first_and_far_ones_are_none()
    {
        Nearest.Of("trn3", ["h100", "trn1", "TRN3", "trn2-core"]).Should().Equal("TRN3", "trn1");
        Nearest.Hint("trn", ["trn1", "h100"]).Should().Be("; did you mean trn1?");
        Nearest.Hint("zzzz", ["a", "b"]).Should().Be("; known: a, b");
    }

    [Fact]
    public void Rates_and_powers_add_subtract_scale_and_divide()
    {
        Bandwidth six = Bandwidth.FromBytesPerSecond(6), three = Bandwidth.FromBytesPerSecond(3);
        (six + three, six - three, six * 3, six / three).Should().Be((Bandwidth.FromBytesPerSecond(9), three, Bandwidth.FromBytesPerSecond(18), 2.0));
        (Power.FromWatts(6) + Power.FromWatts(3), Power.FromWatts(6) - Power.FromWatts(3), Power.FromWatts(6) * 3, Power.FromWatts(6) / Power.FromWatts(3))
            .Should().Be((Power.FromWatts(9), Power.FromWatts(3), Power.FromWatts(18), 2.0));
    }

    [Theory]
    [InlineData(2, 3, true, false, true, false)]
    [InlineData(3, 2, false, true, false, true)]
    [InlineData(3, 3, false, false, true, true)]
    public void Rates_and_powers_compare_as_their_numbers(double left, double right, bool less, bool more, bool atMost, bool atLeast)
    {
        (Bandwidth leftRate, Bandwidth rightRate) = (Bandwidth.FromBytesPerSecond(left), Bandwidth.FromBytesPerSecond(right));
        (Power leftPower, Power rightPower) = (Power.FromWatts(left), Power.FromWatts(right));

        (leftRate < rightRate, leftRate <= rightRate, leftRate > rightRate, leftRate >= rightRate).Should().Be((less, atMost, more, atLeast));
        (leftPower < rightPower, leftPower <= rightPower, leftPower > rightPower, leftPower >= rightPower).Should().Be((less, atMost, more, atLeast));
        (leftRate.CompareTo(rightRate), leftPower.CompareTo(rightPower)).Should().Be((left.CompareTo(right), left.CompareTo(right)));
    }

    [Theory]
    [InlineData("2 mW", 2e-3)]
    [InlineData("2 W", 2)]
    [InlineData("2 kW", 2e3)]
    public void Powers_are_read_and_printed_in_every_unit(string text, double watts)
    {
        Power.Parse(text).Watts.Should().Be(watts);
        Power.FromWatts(watts).ToString().Should().Be(text);
    }

    [Fact]
    public void Sizes_print_in_the_largest_binary_unit_and_binary_rates_are_read()
    {
        (new Bytes(2L << 30).ToString(), new Bytes(2L << 40).ToString()).Should().Be(("2 GiB", "2 TiB"));
        Bandwidth.Parse("2 GiB/s").BytesPerSecond.Should().Be(2L << 30);
        Frequency.FromMegahertz(1.5).Hertz.Should().Be(1_500_000);
    }
}
