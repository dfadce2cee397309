using Systolic.Exploration;

namespace Systolic.Tests.Exploration;

public class ExpressionTests
{
    [Theory]
    [InlineData("1 + 2 * 3", 7)]
    [InlineData("(1 + 2) * 3", 9)]
    [InlineData("2 - 3 - 4", -5)]
    [InlineData("-2 ^ 2", -4)]
    [InlineData("8 / 2 / 2", 2)]
    [InlineData("time * area", 12)]
    [InlineData("max(time, area) + min(time, area)", 7)]
    [InlineData("sqrt(16) + log(1)", 4)]
    [InlineData("400 mm2", 400)]
    [InlineData("2 us", 2e-6)]
    [InlineData("1 KiB / 2 B", 512)]
    [InlineData("3 GB/s", 3e9)]
    [InlineData("6 GB/time", 2e9)]
    [InlineData("2e-3 * 10", 0.02)]
    [InlineData("array.rows2 + 1", 6)]
    public void The_value_is_that_of_the_usual_rules(string text, double value) =>
        Expression.Parse(text, ["time", "area", "array.rows2"]).Value(name => name switch { "time" => 3, "area" => 4, _ => 5 }).Should().BeApproximately(value, Math.Abs(value) * 1e-12);

    [Theory]
    [InlineData("tme", "found the name \"tme\", which is unknown; did you mean time?")]
    [InlineData("time +", "found the end at character 7 of \"time +\", expected a number, a name or a bracket")]
    [InlineData("(time", "found the end at character 6 of \"(time\", expected \")\"")]
    [InlineData("time area", "found \"a\" at character 6 of \"time area\", expected an operator")]
    [InlineData("exp(time)", "found \"exp\" in \"exp(time)\", expected sqrt(x), log(x), min(x, y) or max(x, y)")]
    [InlineData("1.2.3", "found \"1.2.3\" in \"1.2.3\", expected a number")]
    public void A_mistake_is_told_with_its_place(string text, string message)
    {
        Action read = () => Expression.Parse(text, ["time", "area"]);

        read.Should().Throw<FormatException>().WithMessage(message);
    }

    [Fact]
    public void Length_and_nesting_are_bounded()
    {
        Action deep = () => Expression.Parse(new string('(', 400) + "1" + new string(')', 400), []), wide = () => Expression.Parse(new string('1', 1001), []);

        deep.Should().Throw<FormatException>().WithMessage("*at most 32 brackets*");
        wide.Should().Throw<FormatException>().WithMessage("found 1001 characters*");
    }
}
