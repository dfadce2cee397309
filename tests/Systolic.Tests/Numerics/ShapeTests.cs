using Systolic.Numerics;

namespace Systolic.Tests.Numerics;

public class ShapeTests
{
    [Fact]
    public void Size_is_elements_times_stored_bytes() =>
        new Shape(4096, 4096, 2).Size(DataType.Bf16).Value.Should().Be(67_108_864); // 4096 x 4096 x 2 elements of 2 B

    [Fact]
    public void Too_many_elements_overflow_with_an_error() =>
        FluentActions.Invoking(() => new Shape(1L << 32, 1L << 32).Elements).Should().Throw<OverflowException>();

    [Theory]
    [InlineData(2, 3, 1, "2x3")]
    [InlineData(2, 3, 8, "8x2x3")]
    public void A_batch_of_one_is_not_printed(long rows, long columns, long batch, string text) =>
        new Shape(rows, columns, batch).ToString().Should().Be(text);
}
