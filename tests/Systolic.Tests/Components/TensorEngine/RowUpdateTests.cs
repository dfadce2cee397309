using Systolic.Components;

namespace Systolic.Tests.Components;

/// <summary>Every vector width gives the bits of one scalar operation per cell; widths that the machine lacks are emulated.</summary>
public class RowUpdateTests
{
    private const int Cells = 48;

    [Fact]
    public void Fp32_rows_fuse_multiply_and_add_at_every_width()
    {
        float[][] rows = [.. Enumerable.Range(0, 9).Select(i => Values(i, value => value - 0.5f))];
        float[] once = [.. rows[8].Select((sum, i) => MathF.FusedMultiplyAdd(rows[0][i], rows[1][i], sum))];
        float[] four = [.. rows[8].Select((sum, i) => Chain(rows, i, sum, MathF.FusedMultiplyAdd))];

        Check<float, Fp32Cell>(rows, once, four);
    }

    [Fact]
    public void Int32_rows_multiply_and_wrap_at_every_width()
    {
        int[][] rows = [.. Enumerable.Range(0, 9).Select(i => Values(i, value => (int)(value * 256) - 128))];
        Array.Fill(rows[8], int.MaxValue - 5000);
        int[] once = [.. rows[8].Select((sum, i) => unchecked((rows[0][i] * rows[1][i]) + sum))];
        int[] four = [.. rows[8].Select((sum, i) => Chain(rows, i, sum, (x, y, z) => unchecked((x * y) + z)))];

        Check<int, Int32Cell>(rows, once, four);
    }

    private static T Chain<T>(T[][] rows, int i, T sum, Func<T, T, T, T> add) =>
        add(rows[6][i], rows[7][i], add(rows[4][i], rows[5][i], add(rows[2][i], rows[3][i], add(rows[0][i], rows[1][i], sum))));

    private static void Check<T, TCell>(T[][] r, T[] once, T[] four)
        where T : unmanaged
        where TCell : struct, ICell<T>
    {
        T[] sum = [.. r[8]];
        RowUpdate<T, TCell>.Once(ref r[0][0], ref r[1][0], ref sum[0], Cells);
        sum.Should().Equal(once);

        sum = [.. r[8]];
        RowUpdate<T, TCell>.OnceIn512Bits(ref r[0][0], ref r[1][0], ref sum[0], Cells);
        sum.Should().Equal(once);

        sum = [.. r[8]];
        RowUpdate<T, TCell>.FourTimes(ref r[0][0], ref r[1][0], ref r[2][0], ref r[3][0], ref r[4][0], ref r[5][0], ref r[6][0], ref r[7][0], ref sum[0], Cells);
        sum.Should().Equal(four);

        sum = [.. r[8]];
        RowUpdate<T, TCell>.FourTimesIn512Bits(ref r[0][0], ref r[1][0], ref r[2][0], ref r[3][0], ref r[4][0], ref r[5][0], ref r[6][0], ref r[7][0], ref sum[0], Cells);
        sum.Should().Equal(four);
    }

    private static T[] Values<T>(int seed, Func<float, T> value)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Cells).Select(_ => value(random.NextSingle()))];
    }
}
