using CsCheck;
using Systolic.Components;

namespace Systolic.Tests.Components;

public class DivisorTests
{
    [Fact]
    public void Quotients_and_remainders_are_those_of_division() =>
        Gen.Select(Gen.OneOf(Gen.Long[1, 1000], Gen.Int[0, 62].Select(bit => 1L << bit), Gen.Long[1, long.MaxValue]), Gen.OneOf(Gen.Long[0, 100_000], Gen.Long[0, long.MaxValue]), Gen.Long[-1, 1]).Sample(
            (value, dividend, beside) =>
            {
                // Also beside multiples, where a rounded reciprocal would first go wrong.
                foreach (long number in new[] { dividend, Math.Max(0, (dividend / value * value) + (dividend < long.MaxValue ? beside : 0)), long.MaxValue })
                {
                    var divisor = new Divisor(value);
                    (divisor.Of(number), divisor.Remainder(number)).Should().Be((number / value, number % value));
                }
            },
            iter: 20_000);
}
