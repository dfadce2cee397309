using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Workloads;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Kernels;

public class KernelBuilderTests
{
    private static readonly Accelerator Core = KernelRuns.Machine("trn2-core");

    [Theory]
    [InlineData(0, 128, true)]
    [InlineData(64, 64, true)]
    [InlineData(32, 33, false)] // more than 32 partitions from 32
    [InlineData(96, 32, true)]
    [InlineData(16, 16, false)]
    [InlineData(32, 96, false)] // more than 64 from 32
    public void Engines_reach_partitions_only_from_certain_ones(int start, int partitions, bool allowed)
    {
        var kernel = new KernelBuilder(Core, "start");
        Tile tile = kernel.Sbuf("tile", 8, DataType.Fp32)[0];
        Action write = () => kernel.Memset(StreamId.Vector, tile[start..(start + partitions), ..], 0);

        if (allowed)
        {
            write.Should().NotThrow();
        }
        else
        {
            write.Should().Throw<ArgumentException>().WithMessage($"start: target is {partitions} partitions from partition {start} of tile, expected a start at a multiple of*");
        }
    }

    [Fact]
    public void A_transfer_reaches_any_partition()
    {
        var kernel = new KernelBuilder(Core, "any");
        MemoryTensor tensor = kernel.Input("x", 3, 8, DataType.Fp32);

        FluentActions.Invoking(() => kernel.Load(StreamId.QueueSmall, kernel.Sbuf("tile", 8, DataType.Fp32)[0][17..20, ..], tensor.Part(0, 3))).Should().NotThrow();
    }

    [Fact]
    public void A_view_outside_its_tile_or_tensor_is_refused_with_both()
    {
        var kernel = new KernelBuilder(Core, "outside");
        Tile tile = kernel.Sbuf("tile", 8, DataType.Fp32)[0];
        MemoryTensor tensor = kernel.Input("x", 4, 8, DataType.Fp32);

        FluentActions.Invoking(() => kernel.Memset(StreamId.Vector, tile[..4, 4..].Repeat(2, 3), 0)).Should().Throw<ArgumentOutOfRangeException>()
            .WithMessage("outside: target is partitions 0 to 3, elements 4 to 10 of tile, which has 128 partitions of 8 elements.*");
        FluentActions.Invoking(() => kernel.Load(StreamId.QueueSmall, tile[..3, ..], tensor.Part(2, 3))).Should().Throw<ArgumentOutOfRangeException>()
            .WithMessage("outside: a transfer moves elements 16 to 39 of x, which has 32.*");
    }

    [Fact]
    public void Operands_of_unlike_shape_or_type_are_refused()
    {
        var kernel = new KernelBuilder(Core, "unlike");
        Tile wide = kernel.Sbuf("wide", 16, DataType.Fp32)[0], narrow = kernel.Sbuf("narrow", 8, DataType.Bf16)[0];
        MemoryTensor tensor = kernel.Input("x", 128, 8, DataType.Fp32);

        FluentActions.Invoking(() => kernel.Copy(StreamId.Vector, wide, narrow)).Should().Throw<ArgumentException>().WithMessage("unlike: source is 128 x 8 elements of narrow, the target 128 x 16 of wide*");
        FluentActions.Invoking(() => kernel.Load(StreamId.QueueSmall, narrow, tensor.Part(0, 128))).Should().Throw<ArgumentException>().WithMessage("unlike: narrow is bf16, x fp32; transfers do not convert.*");
        FluentActions.Invoking(() => kernel.Load(StreamId.QueueSmall, wide, tensor.Part(0, 128))).Should().Throw<ArgumentException>().WithMessage("unlike: 128 rows of 8 elements of x do not fill 128 partitions of 16 elements of wide.*");
    }

    [Fact]
    public void Runs_and_bytes_of_a_transfer_follow_from_what_it_moves()
    {
        // 96 partitions of two runs of 24 bf16 from a matrix of 100 columns: 192 runs of 48 bytes, from row 4, column 10.
        var kernel = new KernelBuilder(Core, "runs");
        kernel.Input("before", 3, 5, DataType.Fp32);
        MemoryTensor tensor = kernel.Input("x", 200, 100, DataType.Bf16);
        kernel.Load(StreamId.QueueSmall, kernel.Sbuf("tile", 48, DataType.Bf16)[0][..96, ..], tensor.Part(4, 96, 10, 24).Blocks(2, 50));

        Program program = kernel.Build();
        Instruction load = program[StreamId.QueueSmall][0];
        (load.Partitions, load.Free).Should().Be((192, 48));
        program.MemoryOf(load)!.Value.Address.Should().Be(4096 + (2 * 410), "tensors start at multiples of 4 KiB");
    }

    [Fact]
    public void Every_transfer_of_the_kernels_with_values_says_which_bytes_it_moves()
    {
        Operator[] operators =
        [
            new MatMul("product", 200, 300, 400, 2, Bias: true), new Attention("attention", 1, 4, 2, 100, 200, 64, true), new Norm("norm", NormFunction.Layer, 200, 300),
            new Norm("few", NormFunction.Rms, 4, 77), new Norm("backward", NormFunction.Rms, 200, 300, true), new Softmax("softmax", 200, 300), new Rope("rope", 5, 256, 64),
            new Embedding("embedding", 200, 64, 500), new KvAppend("append", 200, 64), new AdamW("step", 30, 77), new Elementwise("add", ElementwiseFunction.Add, 30, 77),
        ];
        foreach (Accelerator machine in KernelRuns.Machines)
        {
            foreach (Operator op in operators)
            {
                Program program = KernelLibrary.Lower(op, machine).Passes.First().Program;
                program.HasValues.Should().BeFalse();
                for (StreamId queue = StreamId.QueueWeights; queue <= StreamId.QueueStores; queue++)
                {
                    foreach (Instruction transfer in program[queue])
                    {
                        MemoryPattern pattern = program.MemoryOf(transfer)!.Value.Pattern;
                        MemoryTensor tensor = program.MemoryOf(transfer)!.Value.Tensor;
                        ((long)pattern.Elements * tensor.Type.ByteSize()).Should().Be(transfer.Free);
                        (transfer.Opcode == Opcode.Gather ? transfer.Partitions : pattern.Runs).Should().Be(transfer.Partitions);
                    }
                }
            }
        }
    }

    [Fact]
    public void A_buffer_that_does_not_fit_is_refused_with_what_is_placed_already()
    {
        // trn2-core: 229,376 B of SBUF per partition.
        var kernel = new KernelBuilder(Core, "large");
        kernel.Sbuf("weights", 50_000, DataType.Bf16, 2);

        FluentActions.Invoking(() => kernel.Sbuf("rows", 8_000, DataType.Fp32)).Should().Throw<CapacityException>()
            .WithMessage("large: rows (1 x 32000 B per partition) does not fit SBUF of trn2-core: 29376 of 229376 B per partition are free; placed: weights 2 x 100000 B.");
    }

    [Fact]
    public void A_tensor_larger_than_main_memory_is_refused()
    {
        // 24 GiB.
        var kernel = new KernelBuilder(Core, "large");
        kernel.Input("fits", 3 << 16, 1 << 16, DataType.Bf16);

        FluentActions.Invoking(() => kernel.Output("does not", (3 << 16) + 1, 1 << 16, DataType.Bf16)).Should().Throw<CapacityException>()
            .WithMessage("large: does not (196609 x 65536 bf16) takes 25769934848 B, main memory of trn2-core has 25769803776 B. Divide it.");
    }

    [Fact]
    public void A_load_from_a_scratch_tensor_waits_for_the_store_into_it()
    {
        var kernel = new KernelBuilder(Core, "spill", values: true);
        MemoryTensor x = kernel.Input("x", 128, 64, DataType.Fp32), spilled = kernel.Scratch("spilled", 128, 64, DataType.Fp32), y = kernel.Output("y", 128, 64, DataType.Fp32);
        TileBuffer tiles = kernel.Sbuf("tiles", 64, DataType.Fp32, 2);
        kernel.Load(StreamId.QueueActivations, tiles[0], x.Part(0, 128));
        kernel.Store(StreamId.QueueStores, spilled.Part(0, 128), tiles[0]);
        kernel.Load(StreamId.QueueWeights, tiles[1], spilled.Part(0, 128));
        kernel.Store(StreamId.QueueLocal, y.Part(0, 128), tiles[1]);
        Program program = kernel.Build();
        var values = new Dictionary<string, Matrix> { ["x"] = Matrix.From(128, 64, (row, column) => row - column) };

        Instruction load = program[StreamId.QueueWeights][0];
        program.Waits.Slice(load.FirstWait, load.WaitCount).ToArray().Should().Equal(new SemaphoreWait(StreamId.QueueStores, 1));
        Interpreter.Run(program, values, ExecutionOrder.Eager(StreamId.QueueWeights), TestContext.Current.CancellationToken)["y"].Values.SequenceEqual(values["x"].Values).Should().BeTrue();
    }

    [Fact]
    public void An_output_that_is_not_wholly_written_is_an_error()
    {
        var kernel = new KernelBuilder(Core, "half", values: true);
        MemoryTensor y = kernel.Output("y", 2, 4, DataType.Fp32);
        Tile tile = kernel.Sbuf("tile", 4, DataType.Fp32)[0];
        kernel.Memset(StreamId.Vector, tile[..1, ..], 1);
        kernel.Store(StreamId.QueueStores, y.Part(0, 1), tile[..1, ..]);

        FluentActions.Invoking(() => Interpreter.Run(kernel.Build(), new Dictionary<string, Matrix>())).Should().Throw<InvalidOperationException>().WithMessage("half: output y (2x4) has elements that nothing wrote.");
    }

    /// <summary>The kernel of docs/values.md.</summary>
    [Fact]
    public void A_kernel_written_by_a_user_is_timed_and_executed()
    {
        var kernel = new KernelBuilder(Core, "relu of a product", values: true);
        MemoryTensor a = kernel.Input("a", 256, 128, DataType.Bf16); // [K, M]
        MemoryTensor b = kernel.Input("b", 256, 512, DataType.Bf16); // [K, N]
        MemoryTensor y = kernel.Output("y", 128, 512, DataType.Bf16);
        TileBuffer stationary = kernel.Sbuf("a", 128, DataType.Bf16, copies: 2), moving = kernel.Sbuf("b", 512, DataType.Bf16, copies: 2);
        Tile sum = kernel.Psum("sum", 1)[0], result = kernel.Sbuf("y", 512, DataType.Bf16)[0];
        for (int k = 0; k < 2; k++)
        {
            kernel.Load(StreamId.QueueWeights, stationary[k], a.Part(128 * k, 128));
            kernel.Load(StreamId.QueueActivations, moving[k], b.Part(128 * k, 128));
            kernel.MatMul(sum, stationary[k], moving[k], accumulate: k > 0);
        }

        kernel.Activation(ActivationFunction.Relu, result, sum);
        kernel.Store(StreamId.QueueStores, y.Part(0, 128), result);
        Program program = kernel.Build();

        CoreRun run = Simulator.Run(program, Core, cancellation: TestContext.Current.CancellationToken);
        var inputs = new Dictionary<string, Matrix> { ["a"] = Matrix.From(256, 128, (k, m) => (k + m) % 3 - 1), ["b"] = Matrix.From(256, 512, (k, n) => (k + n) % 5 - 2) };
        Matrix values = Interpreter.Run(program, inputs, cancellation: TestContext.Current.CancellationToken)["y"];

        // Loads: issue 2 x 0.06, latency 1.0 + 0.3, 320 KiB at 368 GB/s 0.89 us. The second product: 512 columns at 2.4 GHz and 0.13: 0.34 us.
        // Activation: table 1.28, 512 elements at 1.2 GHz 0.43, latency 0.29 us. Store: 0.06 + 1.0 + 0.3, 128 KiB 0.36 us. Three semaphores of 0.05 us at most. Sum 6.22 us,
        // and what the memory takes: rows that are opened, a bank under refresh.
        run.Time.Microseconds.Should().BeInRange(6.1, 7.0);
        for (int m = 0; m < 128; m++)
        {
            for (int n = 0; n < 512; n++)
            {
                // Small integers: every sum is exact, and exact in bf16 below 256.
                int exact = Enumerable.Range(0, 256).Sum(k => (((k + m) % 3) - 1) * (((k + n) % 5) - 2));
                values[m, n].Should().Be(Math.Max(0, exact));
            }
        }
    }

    [Fact]
    public void Fp8_in_double_rows_sums_both_rows_of_a_cell()
    {
        // K = 201 on 128 partitions: partitions 0 to 72 hold two rows of K, the others one. Small integers are exact in fp8.
        var op = new MatMul("double", 60, 201, 90) { Type = DataType.Fp8E4M3, OutputType = DataType.Fp32 };
        Matrix left = Matrix.From(60, 201, (m, k) => (m + (2 * k)) % 5 - 2), right = Matrix.From(201, 90, (k, n) => (k + n) % 7 - 3);
        Program program = KernelLibrary.Lower(op, Core, values: true).Passes.Single().Program;

        Matrix product = Interpreter.Run(program, new Dictionary<string, Matrix> { ["left"] = left, ["right"] = right }, cancellation: TestContext.Current.CancellationToken)["output"];

        for (int m = 0; m < 60; m++)
        {
            for (int n = 0; n < 90; n++)
            {
                product[m, n].Should().Be(Enumerable.Range(0, 201).Sum(k => left[m, k] * right[k, n]));
            }
        }
    }
}
