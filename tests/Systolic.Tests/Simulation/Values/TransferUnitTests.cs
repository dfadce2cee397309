using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;

namespace Systolic.Tests.Simulation.Values;

/// <summary>Where transfers put values, element (r, c) being 10 r + c.</summary>
public class TransferUnitTests
{
    [Fact]
    public void Rows_beyond_the_partitions_of_a_tile_lie_behind_each_other()
    {
        // Six rows of two elements on three partitions: rows 3 to 5 follow rows 0 to 2.
        Run(6, 2, 3, 4, (kernel, x, y) =>
        {
            TileView tile = Tile(kernel, "tile", 3, 4);
            kernel.Load(StreamId.QueueActivations, tile, x.Part(0, 6));
            kernel.Store(StreamId.QueueStores, y.Part(0, 3), tile);
        }).Should().Equal(0, 1, 30, 31, 10, 11, 40, 41, 20, 21, 50, 51);

        Run(3, 4, 6, 2, (kernel, x, y) =>
        {
            TileView tile = Tile(kernel, "tile", 3, 4);
            kernel.Load(StreamId.QueueActivations, tile, x.Part(0, 3));
            kernel.Store(StreamId.QueueStores, y.Part(0, 6), tile);
        }).Should().Equal(0, 1, 10, 11, 20, 21, 2, 3, 12, 13, 22, 23);
    }

    [Fact]
    public void Columns_become_rows()
    {
        // 2 x 3 in memory becomes 3 x 2; of five features on three partitions the last two lie behind.
        Run(2, 3, 3, 2, (kernel, x, y) => Through(kernel, y, 3, 2, tile => kernel.LoadTransposed(StreamId.QueueActivations, tile, x.Part(0, 2))))
            .Should().Equal(0, 10, 1, 11, 2, 12);
        Run(2, 3, 3, 2, (kernel, x, y) => Through(kernel, y, 3, 2, tile =>
        {
            TileView rows = Tile(kernel, "rows", 2, 3);
            kernel.Load(StreamId.QueueActivations, rows, x.Part(0, 2));
            kernel.LocalTranspose(tile, rows);
        })).Should().Equal(0, 10, 1, 11, 2, 12);
        Run(2, 6, 3, 4, (kernel, x, y) => Through(kernel, y, 3, 4, tile => kernel.LoadTransposed(StreamId.QueueActivations, tile, x.Part(0, 2))))
            .Should().Equal(0, 10, 3, 13, 1, 11, 4, 14, 2, 12, 5, 15);
    }

    [Fact]
    public void Runs_of_a_row_and_groups_of_rows_lie_apart_in_memory()
    {
        // Of rows 1 and 2, columns 1 and 2, then 4 and 5.
        Run(4, 6, 2, 4, (kernel, x, y) => Through(kernel, y, 2, 4, tile => kernel.Load(StreamId.QueueActivations, tile, x.Part(1, 2, 1, 2).Blocks(2, 3))))
            .Should().Equal(11, 12, 14, 15, 21, 22, 24, 25);
        // Rows 0 and 1, then 2 and 3 from column 1 on: 13 elements after the first group.
        Run(4, 6, 4, 2, (kernel, x, y) => Through(kernel, y, 4, 2, tile => kernel.Load(StreamId.QueueActivations, tile, x.Part(0, 2, 0, 2).Groups(2, 13))))
            .Should().Equal(0, 1, 10, 11, 21, 22, 31, 32);
        // Stored to every other pair.
        Run(2, 4, 2, 8, (kernel, x, y) =>
        {
            TileView tile = Tile(kernel, "tile", 2, 4), zeros = Tile(kernel, "zeros", 2, 8);
            kernel.Memset(StreamId.Vector, zeros, 0);
            kernel.Load(StreamId.QueueActivations, tile, x.Part(0, 2));
            kernel.Store(StreamId.QueueStores, y.Part(0, 2), zeros);
            kernel.Store(StreamId.QueueStores, y.Part(0, 2, 2, 2).Blocks(2, 4), tile);
        }).Should().Equal(0, 0, 0, 1, 0, 0, 2, 3, 0, 0, 10, 11, 0, 0, 12, 13);
    }

    [Fact]
    public void Rows_are_gathered_and_scattered_by_index_and_minus_one_is_skipped()
    {
        // Partitions take rows 0, 2, 4 of column 0 of the numbers 3 p.
        float[] gathered = Run(7, 2, 3, 2, (kernel, x, y) => Through(kernel, y, 3, 2, tile => kernel.Gather(StreamId.QueueActivations, tile, Numbers(kernel, 0, 2), x.Part(1, 6))));
        gathered.Should().Equal(10, 11, 30, 31, 50, 51);

        // Rows 0, 1, 2 go to -1, 1, 3.
        Run(3, 2, 4, 2, (kernel, x, y) =>
        {
            TileView tile = Tile(kernel, "tile", 3, 2), fill = Tile(kernel, "fill", 4, 2);
            kernel.Memset(StreamId.Vector, fill, -7);
            kernel.Store(StreamId.QueueStores, y.Part(0, 4), fill);
            kernel.Load(StreamId.QueueActivations, tile, x.Part(0, 3));
            kernel.Scatter(StreamId.QueueStores, y.Part(0, 4), tile, Numbers(kernel, -1, 2));
        }).Should().Equal(-7, -7, 10, 11, -7, -7, 20, 21);
    }

    [Theory]
    [InlineData(-2, 1)]
    [InlineData(4, 1)]
    public void An_index_outside_the_rows_is_refused(int first, int step)
    {
        Action run = () => Run(4, 2, 3, 2, (kernel, x, y) => Through(kernel, y, 3, 2, tile => kernel.Gather(StreamId.QueueActivations, tile, Numbers(kernel, first, step), x.Part(0, 4))));

        run.Should().Throw<InvalidOperationException>().WithMessage($"test: partition 0 of numbers (tile 1) holds index {first}, expected a row of x: 0 to 3.");
    }

    [Fact]
    public void Memory_is_copied_and_added_in_fp32_and_rounded_once()
    {
        Run(2, 3, 2, 3, (kernel, x, y) => kernel.MemoryCopy(StreamId.QueueActivations, y.Part(0, 2), x.Part(0, 2))).Should().Equal(0, 1, 2, 10, 11, 12);
        Run(3, 2, 1, 2, (kernel, x, y) => kernel.MemorySum(StreamId.QueueActivations, y.Part(0, 1), x.Part(0, 1), x.Part(1, 1), x.Part(2, 1))).Should().Equal(30, 33);
        // bf16: 256 + 1 + 1 is 258; rounded after each step it would stay 256.
        Run(3, 1, 1, 1, (kernel, x, y) => kernel.MemorySum(StreamId.QueueActivations, y.Part(0, 1), x.Part(0, 1), x.Part(1, 1), x.Part(2, 1)), DataType.Bf16, value: (row, _) => row == 0 ? 256 : 1)
            .Should().Equal(258);
    }

    [Fact]
    public void A_load_converts_where_it_is_asked_to()
    {
        float[] Of(bool gather) => Run(2, 1, 2, 1, (kernel, x, y) => Through(kernel, y, 2, 1, tile =>
        {
            TileView narrow = kernel.Sbuf("narrow", 1, DataType.Bf16)[0][..2, ..];
            if (gather)
            {
                kernel.Gather(StreamId.QueueActivations, narrow, Numbers(kernel, 0, 1, 2), x.Part(0, 2), convert: true);
            }
            else
            {
                kernel.Load(StreamId.QueueActivations, narrow, x.Part(0, 2), convert: true);
            }

            kernel.Copy(StreamId.Vector, tile, narrow);
        }), value: (row, _) => row + (1f / 3));

        // 1/3 and 4/3 in bf16.
        Of(gather: false).Should().Equal(0.333984375f, 1.3359375f);
        Of(gather: true).Should().Equal(0.333984375f, 1.3359375f);
    }

    [Fact]
    public void What_nothing_wrote_is_named()
    {
        Action tile = () => Run(1, 4, 1, 4, (kernel, x, y) => kernel.Store(StreamId.QueueStores, y.Part(0, 1), Tile(kernel, "empty", 1, 4)));
        Action wrapped = () => Run(1, 4, 2, 2, (kernel, x, y) => kernel.Store(StreamId.QueueStores, y.Part(0, 2), Tile(kernel, "empty", 1, 4)));
        Action memory = () => Run(1, 4, 1, 4, (kernel, x, y) => kernel.MemoryCopy(StreamId.QueueStores, y.Part(0, 1), kernel.Scratch("hole", 2, 4, DataType.Fp32).Part(1, 1)));
        Action half = () => Run(2, 4, 2, 4, (kernel, x, y) => kernel.MemoryCopy(StreamId.QueueStores, y.Part(0, 1), x.Part(0, 1)));

        tile.Should().Throw<InvalidOperationException>().WithMessage("test: dma stores instruction 0 (Store) reads what nothing wrote: partition 0 of empty (tile 0).");
        wrapped.Should().Throw<InvalidOperationException>().WithMessage("*partition 0 of empty (tile 0).");
        memory.Should().Throw<InvalidOperationException>().WithMessage("*element 4 or after of hole in main memory.");
        half.Should().Throw<InvalidOperationException>().WithMessage("test: output y (2x4) has elements that nothing wrote.");
    }

    private static TileView Tile(KernelBuilder kernel, string name, int partitions, int elements) => kernel.Sbuf(name, elements, DataType.Fp32)[0][..partitions, ..];

    private static TileView Numbers(KernelBuilder kernel, int first, int step, int partitions = 3)
    {
        TileView numbers = kernel.Sbuf("numbers", 1, DataType.Int32)[0][..partitions, ..];
        kernel.Iota(numbers, new AffineCondition(first, step, 0));
        return numbers;
    }

    /// <summary>Fills a tile and stores it.</summary>
    private static void Through(KernelBuilder kernel, MemoryTensor y, int partitions, int elements, Action<TileView> fill)
    {
        TileView tile = Tile(kernel, "tile", partitions, elements);
        fill(tile);
        kernel.Store(StreamId.QueueStores, y.Part(0, partitions), tile);
    }

    private static float[] Run(
        int rows, int columns, int resultRows, int resultColumns, Action<KernelBuilder, MemoryTensor, MemoryTensor> write, DataType type = DataType.Fp32, Func<int, int, float>? value = null)
    {
        var kernel = new KernelBuilder(Core.Trn2, "test", values: true);
        write(kernel, kernel.Input("x", rows, columns, type), kernel.Output("y", resultRows, resultColumns, type));
        return Interpreter.Run(kernel.Build(), new Dictionary<string, Matrix> { ["x"] = Matrix.From(rows, columns, value ?? ((row, column) => (10 * row) + column)) })["y"].Values.ToArray();
    }
}
