using CsCheck;
using Systolic.Units;

namespace Systolic.Tests.Units;

public class BandwidthTests
{
    private static readonly Gen<(long Rate, long Size)> Transfers = Gen.Select(Gen.Long[1_000_000, 20_000_000_000_000], Gen.Long[1, 1L << 32]);

    [Fact]
    public void A_transfer_is_rounded_up_to_a_femtosecond()
    {
        // 1 B at 3 GB/s: 333,333.33 fs.
        Bandwidth.FromGigabytesPerSecond(3).TimeFor(new Bytes(1)).Value.Should().Be(333_334);
        // 820 GB at 820 GB/s: exactly one second, which a double quotient may miss.
        Bandwidth.FromGigabytesPerSecond(820).TimeFor(new Bytes(820_000_000_000)).Value.Should().Be(1_000_000_000_000_000);
    }

    [Fact]
    public void The_time_is_the_least_in_which_the_bytes_fit() =>
        Transfers.Sample((rate, size) =>
        {
            Int128 time = Bandwidth.FromBytesPerSecond(rate).TimeFor(new Bytes(size)).Value;
            Int128 needed = (Int128)size * 1_000_000_000_000_000;
            return time * rate >= needed && (time - 1) * rate < needed;
        }, iter: 5_000, threads: 1);

    [Fact]
    public void A_rate_between_whole_bytes_lies_between_its_neighbours() =>
        Transfers.Sample((rate, size) =>
        {
            SimTime slower = Bandwidth.FromBytesPerSecond(rate).TimeFor(new Bytes(size));
            SimTime between = Bandwidth.FromBytesPerSecond(rate + 0.5).TimeFor(new Bytes(size));
            SimTime faster = Bandwidth.FromBytesPerSecond(rate + 1.0).TimeFor(new Bytes(size));
            return faster <= between && between <= slower;
        }, iter: 5_000, threads: 1);

    [Fact]
    public void Nothing_takes_no_time_even_at_no_rate() => Bandwidth.Zero.TimeFor(Bytes.Zero).Should().Be(SimTime.Zero);

    [Fact]
    public void A_byte_at_no_rate_is_refused() =>
        FluentActions.Invoking(() => Bandwidth.Zero.TimeFor(new Bytes(1))).Should().Throw<OverflowException>();

    [Fact]
    public void A_transfer_beyond_the_time_axis_is_refused() =>
        FluentActions.Invoking(() => Bandwidth.FromBytesPerSecond(1).TimeFor(new Bytes(10_000))).Should().Throw<OverflowException>(); // 10,000 s
}
