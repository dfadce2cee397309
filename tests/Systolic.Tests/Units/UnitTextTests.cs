using Systolic.Units;

namespace Systolic.Tests.Units;

public sealed class UnitTextTests
{
    [Theory]
    [InlineData(60, 62)]
    [InlineData(61, 62)] // 57 letters, dots and quotes
    public void A_quote_is_at_most_sixty_characters(int length, int quoted) => UnitText.Quote(new string('x', length)).Should().HaveLength(quoted);

    [Fact]
    public void A_cut_quote_keeps_its_beginning_and_shows_that_it_was_cut() =>
        UnitText.Quote("ab" + new string('x', 59)).Should().Be("\"ab" + new string('x', 55) + "...\"");

    [Theory]
    [InlineData("+1.5E+1 W", 15)]
    [InlineData("2e-1W", 0.2)]
    [InlineData("1E1 W", 10)]
    public void Signs_and_exponents_belong_to_the_number(string text, double watts) => Power.Parse(text).Watts.Should().Be(watts);

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("W")]
    [InlineData("1 e W")]
    [InlineData("1ex W")]
    [InlineData("1e")]
    [InlineData("x1 W")]
    public void A_text_that_is_no_power_is_refused_with_an_example(string text) =>
        FluentActions.Invoking(() => Power.Parse(text)).Should().Throw<FormatException>().WithMessage($"found \"{text}\", expected a power with a unit, such as \"192 kW\"");

    [Theory]
    [InlineData("-1 GB/s", "a bandwidth with a unit, such as \"192 GiB/s\"")]
    [InlineData("x", "a bandwidth with a unit, such as \"192 GiB/s\"")]
    public void A_refusal_names_its_quantity(string text, string expected) =>
        FluentActions.Invoking(() => Bandwidth.Parse(text)).Should().Throw<FormatException>().WithMessage($"found \"{text}\", expected {expected}");

    [Fact]
    public void Every_quantity_is_named_in_its_refusals()
    {
        FluentActions.Invoking(() => SimTime.Parse("1")).Should().Throw<FormatException>().WithMessage("*a time with a unit, such as \"192 s\"");
        FluentActions.Invoking(() => Energy.Parse("1")).Should().Throw<FormatException>().WithMessage("*an energy with a unit, such as \"192 MJ\"");
        FluentActions.Invoking(() => Frequency.Parse("1")).Should().Throw<FormatException>().WithMessage("*a frequency with a unit, such as \"192 GHz\"");
    }

    [Fact]
    public void Every_count_is_named_when_it_exceeds_64_bits()
    {
        (Action Make, string Quantity)[] beyond =
        [
            (() => SimTime.FromSeconds(1e4), "a time 1E+19"), (() => SimTime.FromNanoseconds(1e13), "a time 1E+19"), (() => SimTime.FromMicroseconds(1e10), "a time 1E+19"),
            (() => SimTime.Parse("10000 s"), "a time 1E+19"), (() => Frequency.FromGigahertz(1e10), "a frequency 1E+19"), (() => Frequency.FromMegahertz(1e13), "a frequency 1E+19"),
            (() => Frequency.Parse("1e10 GHz"), "a frequency 1E+19"), (() => Bandwidth.FromBytesPerSecond(0.5).TimeFor(new Bytes(5_000)), "a time 1E+19"),
        ];

        beyond.Should().AllSatisfy(each => each.Make.Should().Throw<OverflowException>().WithMessage(each.Quantity + " exceeds 64 bits."));
    }

    [Theory]
    [InlineData(9.1e18, 9_100_000_000_000_000_000)]
    [InlineData(-9.1e18, -9_100_000_000_000_000_000)]
    [InlineData(1.6, 2)]
    [InlineData(-1.4, -1)]
    public void A_count_is_rounded(double value, long count) => UnitText.ToCount(value, "a count").Should().Be(count);

    [Theory]
    [InlineData(9.2e18)]
    [InlineData(-9.2e18)]
    [InlineData(double.NaN)]
    public void A_count_at_the_end_of_64_bits_is_refused(double value) => FluentActions.Invoking(() => UnitText.ToCount(value, "a count")).Should().Throw<OverflowException>();
}
