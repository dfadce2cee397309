using Systolic.Accounting;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Simulation;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Kernels;

public class PlacesTests
{
    private const long Partition = 224 << 10;

    [Fact]
    public void What_is_placed_where_another_buffer_lay_waits_for_its_use()
    {
        var kernel = new KernelBuilder(Core.Trn2, "places");
        TileBuffer first = kernel.Sbuf("first", 1024, DataType.Bf16, 2), other = kernel.Sbuf("other", 1024, DataType.Bf16);
        MemoryTensor memory = kernel.Input("memory", 128, 1024, DataType.Bf16);
        kernel.Memset(StreamId.Vector, first[0], 0);
        kernel.Memset(StreamId.GpSimd, first[1], 0);
        kernel.Release(first);
        TileBuffer second = kernel.Sbuf("second", 1024, DataType.Bf16, 2);
        kernel.Load(StreamId.QueueWeights, second[0], memory.Part(0, 128));
        kernel.Load(StreamId.QueueWeights, second[1], memory.Part(0, 128));
        kernel.Load(StreamId.QueueWeights, other[0], memory.Part(0, 128));

        Program program = kernel.Build();

        Waits(program, 0).Should().Equal(new SemaphoreWait(StreamId.Vector, 1));
        Waits(program, 1).Should().Equal(new SemaphoreWait(StreamId.GpSimd, 1));
        Waits(program, 2).Should().BeEmpty();
        program.BytesPerPartition(MemorySpace.Sbuf).Should().Be(3 * 2048, "the second buffer took the place of the first");
    }

    [Fact]
    public void A_tile_that_overlaps_two_waits_for_both()
    {
        var kernel = new KernelBuilder(Core.Trn2, "places");
        TileBuffer two = kernel.Sbuf("two", 1024, DataType.Bf16, 2);
        kernel.Memset(StreamId.Vector, two[0], 0);
        kernel.Memset(StreamId.GpSimd, two[1], 0);
        kernel.Release(two);
        Tile one = kernel.Sbuf("one", 2048, DataType.Bf16)[0];
        kernel.Load(StreamId.QueueWeights, one, kernel.Input("memory", 128, 2048, DataType.Bf16).Part(0, 128));

        Waits(kernel.Build(), 0).Should().BeEquivalentTo([new SemaphoreWait(StreamId.Vector, 1), new SemaphoreWait(StreamId.GpSimd, 1)]);
    }

    [Fact]
    public void Buffers_from_the_top_leave_the_room_below_in_one_piece()
    {
        var kernel = new KernelBuilder(Core.Trn2, "places");
        TileBuffer top = kernel.SbufFromTop("top", 1000, DataType.Int8), bottom = kernel.Sbuf("bottom", 1000, DataType.Int8);

        top.Address.Should().Be(Partition - 1000);
        bottom.Address.Should().Be(0);
        kernel.Sbuf("middle", Partition - 2000, DataType.Int8).Address.Should().Be(1000);
        kernel.Invoking(full => full.Sbuf("more", 1, DataType.Int8)).Should().Throw<CapacityException>();
        kernel.Release(top);
        kernel.Sbuf("more", 1000, DataType.Int8).Address.Should().Be(Partition - 1000);
    }

    [Fact]
    public void Room_in_two_pieces_does_not_hold_a_buffer_as_large_as_both()
    {
        var kernel = new KernelBuilder(Core.Trn2, "places");
        TileBuffer first = kernel.Sbuf("first", 1000, DataType.Int8);
        kernel.Sbuf("rest", Partition - 2000, DataType.Int8);
        kernel.Release(first);

        kernel.FreeSbuf.Should().Be(2000);
        kernel.Invoking(full => full.Sbuf("both", 2000, DataType.Int8)).Should().Throw<CapacityException>().WithMessage("*2000 of 229376 B per partition are free; placed: rest*");
    }

    [Fact]
    public void Sums_within_main_memory_read_every_source_at_half_the_rate_of_a_copy()
    {
        // 16 rows of 1,024 elements from three tensors: 3 x 32 KiB, each source at 184 B/ns: 534 ns, over all 16 engines although there are 16 rows only.
        (CoreRun run, StreamState[] _) = Core.Run(Core.WithoutRefresh(Core.Trn2), kernel =>
        {
            MemoryView[] sources = [.. Enumerable.Range(0, 3).Select(i => kernel.Input($"source {i}", 16, 1024, DataType.Bf16).Part(0, 16))];
            kernel.MemorySum(StreamId.QueueWeights, kernel.Output("sum", 16, 1024, DataType.Bf16).Part(0, 16), sources);
        });

        const double Fixed = 60 + 1000 + 300, Engines = 3 * 32768 / 184.0;
        (run.Time.Value / 1e6).Should().BeInRange(Fixed + Engines, Fixed + Engines + (2 * Core.MemoryNanoseconds));
        run.Counts[ActivityKind.DramReadByte].Should().Be(3 * 32768);
        run.Counts[ActivityKind.DramWriteByte].Should().Be(32768);
    }

    [Fact]
    public void Sums_within_main_memory_are_rounded_once()
    {
        // 256 + 1 + 1 in fp32 is 258; bf16 after each step would stay at 256.
        var kernel = new KernelBuilder(Core.Trn2, "sum", values: true);
        MemoryView[] sources = [.. Enumerable.Range(0, 3).Select(i => kernel.Input($"source {i}", 1, 2, DataType.Bf16).Part(0, 1))];
        kernel.MemorySum(StreamId.QueueWeights, kernel.Output("sum", 1, 2, DataType.Bf16).Part(0, 1), sources);
        Matrix[] values = [Matrix.From(1, 2, (_, c) => c == 0 ? 256 : -1), Matrix.From(1, 2, (_, _) => 1), Matrix.From(1, 2, (_, _) => 1)];

        IReadOnlyDictionary<string, Matrix> results = Interpreter.Run(kernel.Build(), values.Select((matrix, i) => ($"source {i}", matrix)).ToDictionary(pair => pair.Item1, pair => pair.matrix), cancellation: TestContext.Current.CancellationToken);

        results["sum"].Values.ToArray().Should().Equal(258, 1);
    }

    [Fact]
    public void A_sum_needs_parts_of_one_shape()
    {
        var kernel = new KernelBuilder(Core.Trn2, "sum");
        MemoryView four = kernel.Input("four", 4, 8, DataType.Bf16).Part(0, 4), five = kernel.Input("five", 5, 8, DataType.Bf16).Part(0, 5);
        MemoryView target = kernel.Output("sum", 4, 8, DataType.Bf16).Part(0, 4);

        kernel.Invoking(builder => builder.MemorySum(StreamId.QueueWeights, target, four, five)).Should().Throw<ArgumentException>().WithMessage("*5 x 8*five*4 x 8*sum*");
        kernel.Invoking(builder => builder.MemorySum(StreamId.QueueWeights, target, four)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void Stationary_columns_far_apart_shift_in_one_a_cycle()
    {
        // 100 products of 4 moving columns at 2.4 GHz: 64 cycles each; 128 where the 128 stationary columns lie 64 elements apart.
        Products(1).Should().BeApproximately(100 * 64 / 2.4, 40);
        Products(64).Should().BeApproximately(100 * 128 / 2.4, 40);

        static double Products(int step) => Core.Run(Core.Trn2, kernel =>
        {
            Tile weights = kernel.Sbuf("weights", 128 * 64, DataType.Fp8E4M3)[0], x = kernel.Sbuf("x", 4, DataType.Bf16)[0], bank = kernel.Psum("bank", 1)[0];
            for (int i = 0; i < 100; i++)
            {
                kernel.MatMul(bank[.., ..4], weights[.., ..128].Every(step, 128), x, i > 0);
            }
        }).Run.Busy[0].Value / 1e6;
    }

    [Fact]
    public void Operands_of_8_and_of_32_bits_do_not_meet()
    {
        var kernel = new KernelBuilder(Core.Trn2, "types");
        Tile weights = kernel.Sbuf("weights", 128, DataType.Fp8E4M3)[0], x = kernel.Sbuf("x", 4, DataType.Fp32)[0], bank = kernel.Psum("bank", 1)[0];

        kernel.Invoking(builder => builder.MatMul(bank[.., ..4], weights, x, false)).Should().Throw<ArgumentException>();
    }

    private static SemaphoreWait[] Waits(Program program, int load)
    {
        Instruction op = program[StreamId.QueueWeights][load];
        return program.Waits.Slice(op.FirstWait, op.WaitCount).ToArray();
    }
}
