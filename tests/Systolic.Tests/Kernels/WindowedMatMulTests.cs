using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Simulation.Values;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Kernels;

/// <summary>Products whose operands are converted tile by tile.</summary>
public sealed class WindowedMatMulTests
{
    private const int Lanes = 128;
    private static readonly Accelerator Machine = MachinePresets.Accelerator("tpu-v4");

    [Theory]
    [InlineData(256, 256, 256, 128, 256, 256)] // one step
    [InlineData(256, 384, 256, 64, 128, 128)] // K in three steps, rows and columns in two tiles
    public void It_computes_the_product(int m, int k, int n, int rows, int columns, int contraction)
    {
        var product = new WindowedProduct(Machine, m, k, n);
        Program program = WindowedMatMul.Write(Machine, "product", product, DataType.Fp16, new WindowedTile(rows, columns, contraction, true), values: true);
        Matrix a = Values.Random(m / 2, k, 1, DataType.Fp16), b = Values.Random(k, n, 2, DataType.Fp16);
        int unit = Math.Min(rows, Lanes), piece = Math.Min(2, contraction / Lanes);

        Matrix result = Values.RunAll(
            program, Machine, Stored(m / 2 / unit * Lanes, k / Lanes * unit, unit, (row, at) => a[row, at]), Stored(n, k, Lanes, (column, at) => b[at, column]))[0];

        // Two operands rounded to bf16 (2^-8 each), K sums in fp32, one rounding to fp16; each |a b| below 1. The part of the first core.
        double bound = (k * 2.1 / 256) + (k / 2048.0);
        for (int i = 0; i < m / 2; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double exact = Enumerable.Range(0, k).Sum(at => (double)a[i, at] * b[at, j]);
                int block = j / Lanes, flat = (((block * (m / 2)) + (i / rows * rows)) * Lanes) + (j % Lanes * rows) + (i % rows);
                result[flat / (m / 2), flat % (m / 2)].Should().BeApproximately((float)exact, (float)(bound / 10));
            }
        }

        // By rows of blocks, in pieces of up to two blocks of K with K on the lanes.
        Matrix Stored(int height, int width, int across, Func<int, int, float> value) => Matrix.From(height, width, (row, column) =>
        {
            int flat = (row * width) + column, panel = k * across, size = piece * Lanes * across;
            int within = flat % panel % size, lane = within / (piece * across), element = within % (piece * across);
            int depth = (flat % panel / size * piece) + (element / across);
            return value((flat / panel * across) + (element % across), (depth * Lanes) + lane);
        });
    }

    [Fact]
    public void Conversions_and_products_are_those_of_the_tile()
    {
        // 512 x 512 x 512: each core 256 x 512. Tiles of 256 x 256, whole K: 2 tiles, each converts 2 x 4 blocks of the left and 4 x 2 of the right operand.
        var product = new WindowedProduct(Machine, 512, 512, 512);
        Program program = WindowedMatMul.Write(Machine, "p", product, DataType.Fp16, new WindowedTile(256, 256, 512, true));

        Converted(program).Should().Be(2 * 16 * Lanes * Lanes);
        program[StreamId.Tensor].Length.Should().Be(2 * 4 * 4, "products of 128 x 128 x 128");

        // Smaller tiles convert more: 4 tiles of 256 x 128 convert 8 + 4 blocks each.
        Converted(WindowedMatMul.Write(Machine, "p", product, DataType.Fp16, new WindowedTile(256, 128, 512, true))).Should().Be(4 * 12 * Lanes * Lanes);
    }

    [Fact]
    public void The_compiler_s_tile_need_not_be_the_fastest()
    {
        var product = new WindowedProduct(Machine, 1024, 1024, 1024);
        WindowedTile chosen = TileEstimate.TpuV4.Choose(product, Machine);
        TileEstimate.TpuV4.Cycles(product, chosen, Machine).Should().Be(product.Tiles().Min(tile => TileEstimate.TpuV4.Cycles(product, tile, Machine)));

        var larger = new WindowedTile(512, 1024, 512, true);
        Time(product, larger).Should().BeLessThan(Time(product, chosen));
    }

    [Fact]
    public void A_tile_that_does_not_divide_is_refused() =>
        FluentActions.Invoking(() => WindowedMatMul.Write(Machine, "p", new WindowedProduct(Machine, 512, 512, 512), DataType.Fp16, new WindowedTile(192, 256, 512, true)))
            .Should().Throw<CapacityException>().WithMessage("Tile 192x512x256 (MxKxN) does not divide 512x512x512*");

    // 48 x 32: 48 rows on the lanes of 8 pad to 48 x 128; turned, 32 x 128 are fewer.
    [Theory]
    [InlineData(48, 32, 32, 128)]
    [InlineData(32, 48, 32, 128)]
    [InlineData(130, 256, 192, 256)]
    public void Padding_takes_the_orientation_that_wastes_less(int m, int n, int rows, int columns)
    {
        var product = new WindowedProduct(Machine, m, 64, n);

        (product.M, product.K, product.N).Should().Be((rows, Lanes, columns));
    }

    private static long Converted(Program program)
    {
        long elements = 0;
        foreach (Instruction op in program[StreamId.Vector])
        {
            elements += op.Source == DataType.Fp16 ? (long)op.Partitions * op.Free : 0;
        }

        return elements;
    }

    private static double Time(WindowedProduct product, WindowedTile tile) =>
        Simulator.Run(WindowedMatMul.Write(Machine, "p", product, DataType.Fp16, tile), Machine).Time.Seconds;
}
