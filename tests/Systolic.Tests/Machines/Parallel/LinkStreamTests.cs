using CsCheck;
using Systolic.Machines;
using Systolic.Units;

namespace Systolic.Tests.Machines;

public class LinkStreamTests
{
    [Theory]
    [InlineData(10, 4, 4)] // hidden but for the last: 10, 14 | 20, 24 | 30, 34
    [InlineData(4, 10, 22)] // link-bound: from 4 on, 3 x 10 = 34, computed at 12
    [InlineData(10, 0, 0)]
    public void What_is_left_of_exchanges_when_the_chip_is_done(int compute, int exchange, int exposed)
    {
        var stream = new LinkStream();

        stream.Add(SimTime.FromNanoseconds(compute), SimTime.FromNanoseconds(exchange), 3);

        (stream.Computed, stream.Busy, stream.Exposed).Should().Be((SimTime.FromNanoseconds(3 * compute), SimTime.FromNanoseconds(3 * exchange), SimTime.FromNanoseconds(exposed)));
    }

    [Fact]
    public void Equal_stretches_are_as_many_single_ones() => Gen.Select(Gen.Int[0, 9], Gen.Int[0, 9], Gen.Int[0, 9], Gen.Int[0, 9], Gen.Int[0, 7]).Sample((before, beforeExchange, compute, exchange, repeat) =>
    {
        LinkStream together = new(), apart = new();
        together.Add(SimTime.FromNanoseconds(before), SimTime.FromNanoseconds(beforeExchange), 1);
        apart.Add(SimTime.FromNanoseconds(before), SimTime.FromNanoseconds(beforeExchange), 1);
        together.Add(SimTime.FromNanoseconds(compute), SimTime.FromNanoseconds(exchange), repeat);
        for (int i = 0; i < repeat; i++)
        {
            apart.Add(SimTime.FromNanoseconds(compute), SimTime.FromNanoseconds(exchange), 1);
        }

        (together.Computed, together.Busy, together.Exposed).Should().Be((apart.Computed, apart.Busy, apart.Exposed));
    });
}
