using Systolic.Components;

namespace Systolic.Tests.Components;

/// <summary>Every vector width gives the bits of one scalar operation per cell and cycle; widths that the machine lacks are emulated.</summary>
public class RowUpdateTests
{
    private const int Cells = 48;
    private const int MovingStart = 6;

    [Fact]
    public void Fp32_rows_fuse_multiply_and_add_at_every_width() =>
        Check<float, Fp32Cell>(Values(0, value => value - 0.5f), Values(1, value => value - 0.5f), Values(2, value => value), MathF.FusedMultiplyAdd);

    [Fact]
    public void Int32_rows_multiply_and_wrap_at_every_width() =>
        Check<int, Int32Cell>(
            Values(0, value => (int)(value * 256) - 128), Values(1, value => (int)(value * 256) - 128), Values(2, value => int.MaxValue - (int)(value * 5000)), (x, y, z) => unchecked((x * y) + z));

    private static void Check<T, TCell>(T[] top, T[] moving, T[] start, Func<T, T, T, T> multiplyAdd)
        where T : unmanaged
        where TCell : struct, ICell<T>
    {
        for (int cycles = 1; cycles <= 6; cycles++)
        {
            T[] sum = [.. start.AsSpan(0, Cells)];
            RowUpdate<T, TCell>.Times(cycles, ref top[0], Cells, ref moving[MovingStart], -1, ref sum[0], Cells);
            sum.Should().Equal(Expected(cycles));
        }

        T[] four = [.. start.AsSpan(0, Cells)];
        RowUpdate<T, TCell>.FourIn256Bits(ref top[0], Cells, ref moving[MovingStart], -1, ref four[0], Cells);
        four.Should().Equal(Expected(4));

        four = [.. start.AsSpan(0, Cells)];
        RowUpdate<T, TCell>.FourIn512Bits(ref top[0], Cells, ref moving[MovingStart], -1, ref four[0], Cells);
        four.Should().Equal(Expected(4));

        T[] Expected(int cycles) => [.. Enumerable.Range(0, Cells).Select(cell => Enumerable.Range(0, cycles)
            .Aggregate(start[cell], (sum, cycle) => multiplyAdd(top[(cycle * Cells) + cell], moving[MovingStart - cycle + cell], sum)))];
    }

    private static T[] Values<T>(int seed, Func<float, T> value)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 6 * Cells).Select(_ => value(random.NextSingle()))];
    }
}
