using Systolic.Numerics;

namespace Systolic.Tests.Numerics;

public class MatrixTests
{
    [Fact]
    public void Elements_lie_row_by_row()
    {
        var matrix = Matrix.From(2, 3, (row, column) => 10 * row + column);

        (matrix.Rows, matrix.Columns).Should().Be((2, 3));
        matrix.Values.ToArray().Should().Equal(0, 1, 2, 10, 11, 12);
        matrix.Row(1).ToArray().Should().Equal(10, 11, 12);
        matrix[1, 2].Should().Be(12);
    }

    [Fact]
    public void Rounding_leaves_the_original_alone()
    {
        var matrix = Matrix.From(3, 7, (row, column) => row + column / 1000f);

        Matrix rounded = matrix.Rounded(DataType.Int8);

        rounded.Values.ToArray().Should().Equal(Enumerable.Range(0, 21).Select(i => (float)(i / 7)));
        matrix[2, 6].Should().Be(2.006f);
    }

    [Fact]
    public void A_written_element_is_read_back()
    {
        var matrix = new Matrix(2, 2) { [1, 0] = 5 };

        matrix.Values.ToArray().Should().Equal(0, 0, 5, 0);
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(2, 0)]
    [InlineData(0, -1)]
    [InlineData(0, 3)] // inside the storage, outside the row
    public void An_index_outside_is_refused(int row, int column) =>
        FluentActions.Invoking(() => new Matrix(2, 3)[row, column]).Should().Throw<ArgumentOutOfRangeException>();

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, -1)]
    [InlineData(100_000, 100_000)]
    public void An_impossible_extent_is_refused(int rows, int columns) =>
        FluentActions.Invoking(() => new Matrix(rows, columns)).Should().Throw<ArgumentOutOfRangeException>();
}
