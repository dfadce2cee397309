using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;

namespace Systolic.Tests.Simulation.Values;

/// <summary>What single instructions compute.</summary>
public class InstructionValuesTests
{
    [Fact]
    public void A_scan_takes_each_result_into_the_next()
    {
        // r = r x 2 + second: 1 x 2 + 1 = 3, 3 x 2 + 10 = 16, 16 x 2 + 100 = 132.
        Run(3, 3, (kernel, x, y) => kernel.Scan(y, x.Repeat(1, 0) with { Free = FreePattern.Row(3) with { InnerStride = 0 } }, AluOperator.Multiply, x.Skip(1) with { Free = FreePattern.Row(3) }, AluOperator.Add, 1), [2, 1, 10, 100])
            .Should().Equal(3, 16, 132);
    }

    [Fact]
    public void A_selection_overwrites_where_the_predicate_is_not_zero() => Run(3, 3, (kernel, x, y) =>
    {
        kernel.Memset(StreamId.Vector, y, 7);
        kernel.Select(y, x.Skip(3) with { Free = FreePattern.Row(3) }, x with { Free = FreePattern.Row(3) });
    }, [1, 2, 3, 0, -1, 5]).Should().Equal(7, 2, 3);

    [Fact]
    public void The_eight_largest_come_largest_first_and_can_be_found_and_replaced()
    {
        float[] row = [3, 9, 1, 8, 2, 7, 9, 4, 5, 6];
        Run(8, 8, (kernel, x, y) => kernel.Max8(y, x), row).Should().Equal(9, 9, 8, 7, 6, 5, 4, 3);
        Run(8, 8, (kernel, x, y) =>
        {
            TileView largest = kernel.Sbuf("largest", 8, DataType.Fp32)[0][..1, ..];
            kernel.Max8(largest, x);
            kernel.FindIndex8(y, largest, x);
        }, row).Should().Equal(1, 6, 3, 5, 9, 8, 7, 0);
        Run(10, 10, (kernel, x, y) =>
        {
            TileView largest = kernel.Sbuf("largest", 8, DataType.Fp32)[0][..1, ..];
            kernel.Max8(largest, x);
            kernel.MatchReplace8(y, largest, x, -1);
        }, row).Should().Equal(-1, -1, 1, -1, 2, -1, -1, -1, -1, -1);
    }

    [Theory]
    [InlineData(new float[] { 6, 7, 8, 6, 6, 5, 9, 8 }, new float[] { 1, -1, 3, 2, -1, 0, -1, -1 })]
    [InlineData(new float[] { 6, 6, 6, 6, 5, 9, 6, 8 }, new float[] { 1, 2, -1, -1, 0, -1, -1, 3 })]
    public void A_value_that_is_not_there_is_found_at_minus_one(float[] values, float[] found) => Run(8, 8, (kernel, x, y) =>
        kernel.FindIndex8(y, x.Skip(4) with { Free = FreePattern.Row(8) }, x with { Free = FreePattern.Row(4) }), [5, 6, 6, 8, .. values]).Should().Equal(found);

    [Fact]
    public void Numbers_grow_with_element_and_partition() =>
        Run(4, 4, (kernel, x, y) => kernel.Iota(y, new AffineCondition(10, 100, 3)), [0]).Should().Equal(10, 13, 16, 19);

    [Fact]
    public void A_local_copy_moves_values_unchanged() => Run(3, 3, (kernel, x, y) => kernel.LocalCopy(y, x), [1, -2, 3]).Should().Equal(1, -2, 3);

    [Fact]
    public void The_vector_engine_transposes_squares()
    {
        var kernel = new KernelBuilder(Core.Trn2, "squares", values: true);
        MemoryTensor input = kernel.Input("x", 64, 64, DataType.Fp32), output = kernel.Output("y", 64, 64, DataType.Fp32);
        TileView x = kernel.Sbuf("x", 64, DataType.Fp32)[0][..64, ..], y = kernel.Sbuf("y", 64, DataType.Fp32)[0][..64, ..];
        kernel.Load(StreamId.QueueActivations, x, input.Part(0, 64));
        kernel.VectorTranspose(y, x);
        kernel.Store(StreamId.QueueStores, output.Part(0, 64), y);
        Matrix squares = Interpreter.Run(kernel.Build(), new Dictionary<string, Matrix> { ["x"] = Matrix.From(64, 64, (row, column) => (100 * row) + column) }, cancellation: TestContext.Current.CancellationToken)["y"];

        // Row 33 is row 1 of the lower squares, so it holds column 1 (then 33) of rows 32 to 63.
        squares[33, 0].Should().Be((100 * 32) + 1);
        squares[33, 5].Should().Be((100 * 37) + 1);
        squares[33, 40].Should().Be((100 * 40) + 33);
        squares[2, 3].Should().Be((100 * 3) + 2);
    }

    [Fact]
    public void Scans_and_selections_take_two_cycles_an_element()
    {
        // 2 x 480 + 100 cycles at 0.96 GHz, fp32 in SBUF.
        Time((kernel, x, y) => kernel.Scan(y, x, AluOperator.Multiply, x, AluOperator.Add)).Should().BeApproximately(1060 / 0.96, 0.01);
        Time((kernel, x, y) => kernel.Select(y, x, x)).Should().BeApproximately(1060 / 0.96, 0.01);
    }

    private static double Time(Action<KernelBuilder, TileView, TileView> write) =>
        Core.Nanoseconds(Core.Trn2, kernel => write(kernel, kernel.Sbuf("x", 480, DataType.Fp32)[0][.., ..], kernel.Sbuf("y", 480, DataType.Fp32)[0][.., ..]));

    /// <summary>One partition: loads <paramref name="row"/>, computes <paramref name="width"/> elements, and returns them.</summary>
    private static float[] Run(int width, int stored, Action<KernelBuilder, TileView, TileView> write, float[] row)
    {
        var kernel = new KernelBuilder(Core.Trn2, "one row", values: true);
        MemoryTensor input = kernel.Input("x", 1, row.Length, DataType.Fp32), output = kernel.Output("y", 1, stored, DataType.Fp32);
        TileView x = kernel.Sbuf("x", row.Length, DataType.Fp32)[0][..1, ..], y = kernel.Sbuf("y", width, DataType.Fp32)[0][..1, ..];
        kernel.Load(StreamId.QueueActivations, x, input.Part(0, 1));
        write(kernel, x, y);
        kernel.Store(StreamId.QueueStores, output.Part(0, 1), y);
        return Interpreter.Run(kernel.Build(), new Dictionary<string, Matrix> { ["x"] = Matrix.From(1, row.Length, (_, column) => row[column]) }, cancellation: TestContext.Current.CancellationToken)["y"].Values.ToArray();
    }
}
