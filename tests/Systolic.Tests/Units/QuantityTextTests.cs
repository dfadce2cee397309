using System.Globalization;
using Systolic.Units;

namespace Systolic.Tests.Units;

public class QuantityTextTests
{
    private static void In(string culture, Action check)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
            check();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Theory]
    [InlineData("de-DE")]
    [InlineData("tr-TR")]
    public void Reading_and_printing_do_not_depend_on_the_culture(string culture) => In(culture, () =>
    {
        1.5.ToString(CultureInfo.CurrentCulture).Should().Be("1,5"); // the culture is in force

        Bytes.Parse("1.5 KiB").Should().Be(new Bytes(1536));
        Frequency.Parse("2.8 GHz").ToString().Should().Be("2.8 GHz");
        Bandwidth.Parse("1.2 TB/s").ToString().Should().Be("1.2 TB/s");
        Energy.Parse("0.84 pJ").ToString().Should().Be("0.84 pJ");
        Power.Parse("0.5 kW").ToString().Should().Be("500 W");
        SimTime.Parse("1.3 us").ToString().Should().Be("1.3 us");
        new Cycles(1_234_567).ToString().Should().Be("1,234,567 cycles");
        new MacCount(1_234_567).ToString().Should().Be("1,234,567 MACs");
        FluentActions.Invoking(() => SimTime.Parse("1,3 us")).Should().Throw<FormatException>();
    });

    [Theory]
    [InlineData("1 KiB", 1024)]
    [InlineData("1 kB", 1000)]
    [InlineData("24 MiB", 25_165_824)]
    [InlineData("24 MB", 24_000_000)]
    [InlineData("1 GiB", 1_073_741_824)]
    [InlineData("1 GB", 1_000_000_000)]
    [InlineData("1 TiB", 1_099_511_627_776)]
    [InlineData("1 TB", 1_000_000_000_000)]
    [InlineData("17 B", 17)]
    [InlineData("  1e3   B ", 1000)]
    [InlineData("0 B", 0)]
    public void Binary_and_decimal_prefixes_are_kept_apart(string text, long bytes) => Bytes.Parse(text).Value.Should().Be(bytes);

    [Theory]
    [InlineData("192")]
    [InlineData("KiB")]
    [InlineData("")]
    [InlineData("192 KB")] // neither KiB nor kB
    [InlineData("192 kib")]
    [InlineData("192 KiB/s")]
    [InlineData("192 KiB 3")]
    [InlineData("192 KiB,")]
    [InlineData("1 2 B")]
    [InlineData("1.2.3 B")]
    [InlineData("1e B")]
    [InlineData("1e400 B")]
    [InlineData("NaN B")]
    [InlineData("Infinity B")]
    [InlineData("-1 B")]
    [InlineData("1,024 B")]
    [InlineData("0x10 B")]
    public void A_text_that_is_no_size_is_refused(string text) =>
        FluentActions.Invoking(() => Bytes.Parse(text)).Should().Throw<FormatException>().WithMessage($"found \"{text}\", expected a size with a unit, such as \"192 TB\"");

    [Theory]
    [InlineData("-1 GHz")]
    [InlineData("1 ghz")]
    public void A_text_that_is_no_frequency_is_refused(string text) => FluentActions.Invoking(() => Frequency.Parse(text)).Should().Throw<FormatException>();

    [Fact]
    public void Every_quantity_refuses_negative_and_infinite_values()
    {
        FluentActions.Invoking(() => Bandwidth.Parse("-1 GB/s")).Should().Throw<FormatException>();
        FluentActions.Invoking(() => Bandwidth.Parse("1e308 GB/s")).Should().Throw<FormatException>(); // finite until it meets its unit
        FluentActions.Invoking(() => Energy.Parse("-1 pJ")).Should().Throw<FormatException>();
        FluentActions.Invoking(() => Energy.Parse("1e308 MJ")).Should().Throw<FormatException>();
        FluentActions.Invoking(() => Power.Parse("-1 W")).Should().Throw<FormatException>();
        FluentActions.Invoking(() => SimTime.Parse("-1 ns")).Should().Throw<FormatException>();
    }

    [Fact]
    public void A_quantity_beyond_64_bits_is_refused()
    {
        FluentActions.Invoking(() => Bytes.Parse("9000000 TiB")).Should().Throw<OverflowException>().WithMessage("a size 9.896E+18 exceeds 64 bits.");
        FluentActions.Invoking(() => SimTime.Parse("10000 s")).Should().Throw<OverflowException>(); // 1e19 fs
        FluentActions.Invoking(() => Bytes.FromGibibytes(1e10)).Should().Throw<OverflowException>();
        FluentActions.Invoking(() => Frequency.FromGigahertz(double.NaN)).Should().Throw<OverflowException>();
    }

    [Fact]
    public void A_long_text_is_cut_in_the_message() =>
        FluentActions.Invoking(() => Bytes.Parse(new string('9', 1000))).Should().Throw<FormatException>().Which.Message.Length.Should().BeLessThan(150);

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1 KiB")]
    [InlineData(196_608, "192 KiB")]
    [InlineData(25_165_824, "24 MiB")]
    [InlineData(-2048, "-2 KiB")]
    public void Sizes_print_with_binary_prefixes(long bytes, string text) => new Bytes(bytes).ToString().Should().Be(text);

    [Theory]
    [InlineData(820e9, "820 GB/s")]
    [InlineData(1.2e9, "1.2 GB/s")]
    [InlineData(0.5, "0.5 B/s")]
    public void Rates_print_with_decimal_prefixes(double rate, string text) => Bandwidth.FromBytesPerSecond(rate).ToString().Should().Be(text);

    [Theory]
    [InlineData(999, "999 fs")]
    [InlineData(1_300_000_000, "1.3 us")]
    [InlineData(long.MaxValue, "9223 s")]
    public void Times_print_with_the_unit_that_leaves_a_digit(long femtoseconds, string text) => new SimTime(femtoseconds).ToString().Should().Be(text);
}
