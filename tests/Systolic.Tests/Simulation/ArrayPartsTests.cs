using Systolic.Accounting;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Units;

namespace Systolic.Tests.Simulation;

/// <summary>Products on parts of the array, and an array that was idle.</summary>
public class ArrayPartsTests
{
    private const double Cycle = 1 / 2.4;
    private static readonly Accelerator Machine = Core.Trn2;

    [Fact]
    public void Four_strips_of_columns_work_side_by_side()
    {
        // Each strip: 32 columns load in 8 cycles on an idle array (only the first is exposed), 512 stream. The next strip starts a quarter of 64 cycles later.
        (CoreRun run, StreamState[] streams) = Core.Run(Machine, kernel => Strips(kernel, 4));
        StreamState tensor = streams[(int)StreamId.Tensor];

        tensor.Start.Select(start => start / 1e6).Should().Equal([0, 16 * Cycle, 32 * Cycle, 48 * Cycle], (found, expected) => Math.Abs(found - expected) < 0.01);
        (run.Time.Value / 1e6).Should().BeApproximately(((48 + 512) * Cycle) + 130, 0.01);
        run.Busy[0].Should().BeLessThanOrEqualTo(run.Time);
    }

    [Fact]
    public void A_strip_waits_for_itself_and_the_whole_array_for_all_strips()
    {
        (_, StreamState[] streams) = Core.Run(Machine, kernel =>
        {
            Strips(kernel, 4);
            Strips(kernel, 1);
            TileView whole = kernel.Sbuf("whole", 128, DataType.Bf16)[0][.., ..];
            kernel.MatMul(kernel.Psum("whole", 1)[0][.., ..128], whole, whole, false);
        });
        StreamState tensor = streams[(int)StreamId.Tensor];

        // Strip 0 is free after 8 + 512 cycles; the whole array when strip 0 has streamed again.
        (tensor.Start[4] / 1e6).Should().BeApproximately(520 * Cycle, 0.01);
        (tensor.Start[5] / 1e6).Should().BeApproximately((520 + 512) * Cycle, 0.01);
    }

    [Fact]
    public void Strips_leave_the_values_of_the_whole_array()
    {
        var kernel = new KernelBuilder(Machine, "strips", values: true);
        MemoryTensor x = kernel.Input("x", 128, 96, DataType.Fp32), w = kernel.Input("w", 128, 40, DataType.Fp32), y = kernel.Output("y", 96, 40, DataType.Fp32);
        TileView stationary = kernel.Sbuf("x", 96, DataType.Fp32)[0][.., ..], moving = kernel.Sbuf("w", 40, DataType.Fp32)[0][.., ..];
        kernel.Load(StreamId.QueueActivations, stationary, x.Part(0, 128));
        kernel.Load(StreamId.QueueActivations, moving, w.Part(0, 128));
        Tile bank = kernel.Psum("y", 1)[0], result = kernel.Sbuf("y", 40, DataType.Fp32)[0];
        for (int strip = 0; strip < 3; strip++)
        {
            TileView part = bank[(32 * strip)..(32 * (strip + 1)), ..40];
            kernel.MatMul(part, stationary.Skip(32 * strip) with { Free = FreePattern.Row(32) }, moving, false, tile: ArrayTile.ColumnStrip(strip, 4));
            kernel.Copy(StreamId.Vector, result[(32 * strip)..(32 * (strip + 1)), ..], part);
        }

        kernel.Store(StreamId.QueueStores, y.Part(0, 96), result[..96, ..]);
        var random = new Random(3);
        Matrix a = Small(random, 128, 96), b = Small(random, 128, 40);
        Matrix product = Interpreter.Run(kernel.Build(), new Dictionary<string, Matrix> { ["x"] = a, ["w"] = b }, cancellation: TestContext.Current.CancellationToken)["y"];

        // Small whole numbers: every sum is exact.
        for (int i = 0; i < 96; i++)
        {
            for (int j = 0; j < 40; j++)
            {
                product[i, j].Should().Be(Enumerable.Range(0, 128).Sum(k => a[k, i] * b[k, j]));
            }
        }
    }

    [Fact]
    public void Operands_lie_in_the_partitions_of_their_part()
    {
        var kernel = new KernelBuilder(Machine, "strips");
        TileView operand = kernel.Sbuf("x", 32, DataType.Bf16)[0][.., ..];
        Tile bank = kernel.Psum("y", 1)[0];

        Action write = () => kernel.MatMul(bank[..32, ..32], operand, operand, false, tile: ArrayTile.ColumnStrip(1, 4));
        write.Should().Throw<ArgumentException>().WithMessage("strips: found K = 128 from partition 0 and 32 results from partition 0 on a part of 128 rows from 0 and 32 columns from 32; operands and results lie in the partitions of their part.*");
    }

    [Fact]
    public void An_array_divides_into_no_more_parts_than_it_has()
    {
        var kernel = new KernelBuilder(MachinePresets.Accelerator("trn1-core"), "strips");
        TileView operand = kernel.Sbuf("x", 32, DataType.Bf16)[0][.., ..];
        Tile bank = kernel.Psum("y", 1)[0];

        Action write = () => kernel.MatMul(bank[..32, ..32], operand, operand, false, tile: ArrayTile.ColumnStrip(0, 4));
        write.Should().Throw<ArgumentOutOfRangeException>().WithMessage("Found 4 parts along a side of the array, expected 1 to 2.*");
    }

    [Fact]
    public void A_throttled_array_starts_at_half_its_rate_and_warms_up()
    {
        Accelerator throttled = Machine with { TensorEngine = Machine.TensorEngine with { Throttle = new ThrottleSpec(0.5, SimTime.FromMicroseconds(3)) } };
        (CoreRun run, StreamState[] streams) = Core.Run(throttled, kernel => Stream(kernel, 40));
        long[] start = streams[(int)StreamId.Tensor].Start;

        // The first: 544 cycles (32 of them loading) at half rate, 1,088. It warms by its duration of 3 us: share 0.5 + 0.5 x 453.3 ns / 3 us = 0.5756 for the second, 512 / 0.5756 = 890.
        ((start[1] - start[0]) / 1e6).Should().BeApproximately(1088 * Cycle, 0.5);
        ((start[2] - start[1]) / 1e6).Should().BeApproximately(890 * Cycle, 0.5);
        ((start[39] - start[38]) / 1e6).Should().BeApproximately(512 * Cycle, 0.5);
        run.Stack[CycleComponent.Throttle].Value.Should().BeGreaterThan(0);
        run.Stack.Total.Should().Be(run.Time);
        Core.Run(Machine, kernel => Stream(kernel, 40)).Run.Stack[CycleComponent.Throttle].Should().Be(SimTime.Zero);
    }

    private static void Strips(KernelBuilder kernel, int strips)
    {
        TileView stationary = kernel.Sbuf("stationary", 32, DataType.Bf16)[0][.., ..], moving = kernel.Sbuf("moving", 512, DataType.Bf16)[0][.., ..];
        Tile bank = kernel.Psum("result", 1)[0];
        for (int strip = 0; strip < strips; strip++)
        {
            kernel.MatMul(bank[(32 * strip)..(32 * (strip + 1)), ..512], stationary, moving, false, tile: ArrayTile.ColumnStrip(strip, 4));
        }
    }

    private static void Stream(KernelBuilder kernel, int products)
    {
        TileView stationary = kernel.Sbuf("stationary", 128, DataType.Bf16)[0][.., ..], moving = kernel.Sbuf("moving", 512, DataType.Bf16)[0][.., ..];
        TileBuffer banks = kernel.Psum("result", 2);
        for (int i = 0; i < products; i++)
        {
            kernel.MatMul(banks[i][.., ..512], stationary, moving, false);
        }
    }

    private static Matrix Small(Random random, int rows, int columns) => Matrix.From(rows, columns, (_, _) => random.Next(-4, 5));
}
