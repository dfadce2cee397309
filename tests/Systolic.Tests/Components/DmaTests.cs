using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Simulation;

namespace Systolic.Tests.Components;

public class DmaTests
{
    // Trainium2: 60 ns to issue, 1,000 ns to the first byte, 300 ns to the consumer; 16 engines of 23 B/ns, 8 partitions each.
    private const double Fixed = 60 + 1000 + 300;

    private static readonly Accelerator Trn2 = Core.WithoutRefresh(Core.Trn2);

    [Fact]
    public void A_transfer_over_all_partitions_moves_at_the_rate_of_all_engines()
    {
        // 128 x 4,096 B at 368 B/ns: 1,424.7 ns.
        Load(128, 4096).Should().BeInRange(Fixed + (128 * 4096 / 368.0), Fixed + (128 * 4096 / 368.0) + Core.MemoryNanoseconds);
    }

    [Fact]
    public void Eight_runs_go_to_one_engine()
    {
        // 8 x 256 B at 23 B/ns: 89.0 ns (the vendor's profile shows 97).
        Load(8, 256).Should().BeInRange(Fixed + (8 * 256 / 23.0), Fixed + (8 * 256 / 23.0) + Core.MemoryNanoseconds);
        // Nine runs are two engines' work.
        Load(9, 256).Should().BeInRange(Fixed + (9 * 256 / 46.0), Fixed + (9 * 256 / 46.0) + Core.MemoryNanoseconds);
    }

    [Fact]
    public void A_run_is_charged_as_at_least_256_bytes()
    {
        // 8 x 256 B an engine at 23 B/ns, of which the rows lie closer together in memory.
        Load(128, 2).Should().BeInRange(Fixed + (8 * 256 / 23.0), Fixed + (8 * 256 / 23.0) + (2 * Core.MemoryNanoseconds), "128 runs of one row take its pseudo-channel a burst each");
        Load(128, 512).Should().BeGreaterThan(Load(128, 256));
        Counts(kernel => kernel.Load(StreamId.QueueSmall, Tile(kernel), 128, 2))[ActivityKind.DramReadByte].Should().Be(256, "only the time is rounded up");
    }

    [Fact]
    public void Two_transfers_at_once_share_the_engines()
    {
        // Both issue at 0 on their own queues, which take turns: 2 x 512 KiB at 368 B/ns.
        double time = Core.Nanoseconds(Trn2, kernel =>
        {
            kernel.Load(StreamId.QueueWeights, Tile(kernel), 128, 4096);
            kernel.Load(StreamId.QueueActivations, Tile(kernel), 128, 4096);
        });

        time.Should().BeInRange(Fixed + (2 * 128 * 4096 / 368.0), Fixed + (2 * 128 * 4096 / 368.0) + (4 * Core.MemoryNanoseconds), "both read the same rows, and meet in them");
    }

    [Fact]
    public void Transfers_of_one_queue_issue_one_interval_apart_and_stream_behind_each_other()
    {
        // Ten of 1,424.7 ns each: issue (60 ns) hides behind the bytes.
        double time = Core.Nanoseconds(Trn2, kernel => Repeat(kernel, 10, 4096));

        time.Should().BeInRange(Fixed + (10 * 128 * 4096 / 368.0), Fixed + (10 * 128 * 4096 / 368.0) + Core.MemoryNanoseconds);
    }

    [Theory]
    [InlineData("trn1-core", 790)]
    [InlineData("trn2-core", 600)]
    [InlineData("trn3-core", 600)]
    public void Small_transfers_described_at_run_time_are_bound_by_their_description(string machine, double interval)
    {
        // 32 KiB takes 120 ns or less, so only the description counts: the tenth starts nine intervals after the first.
        Accelerator core = Core.WithoutRefresh(Systolic.Machines.MachinePresets.Accelerator(machine));
        double one = Core.Nanoseconds(core, kernel => Gather(kernel, 1)), ten = Core.Nanoseconds(core, kernel => Gather(kernel, 10));

        (ten - one).Should().BeApproximately(9 * interval, 2 * Core.MemoryNanoseconds, "rows lie anywhere");
    }

    [Fact]
    public void Memory_to_memory_moves_every_byte_twice_through_the_memory()
    {
        ActivityCounts counts = Counts(kernel => kernel.MemoryCopy(StreamId.QueueWeights, 128, 4096));

        counts[ActivityKind.DramReadByte].Should().Be(128 * 4096);
        counts[ActivityKind.DramWriteByte].Should().Be(128 * 4096);
        // 2 x 512 KiB at 725 GB/s take 1,446 ns; the engines 1,425.
        Core.Nanoseconds(Trn2, kernel => kernel.MemoryCopy(StreamId.QueueWeights, 128, 4096))
            .Should().BeInRange(Fixed + (2 * 128 * 4096 / 725.0), Fixed + (2 * 128 * 4096 / 725.0) + Core.MemoryNanoseconds);
    }

    [Fact]
    public void A_transpose_within_the_scratchpad_leaves_the_memory_alone()
    {
        ActivityCounts counts = Counts(kernel => kernel.LocalTranspose(Tile(kernel), Tile(kernel), 128, 1024));

        counts.DramBytes.Should().Be(0);
        counts[ActivityKind.ScratchpadReadByte].Should().Be(128 * 1024);
        // 42 % of the copy rate.
        Core.Nanoseconds(Trn2, kernel => kernel.LocalTranspose(Tile(kernel), Tile(kernel), 128, 1024))
            .Should().BeInRange(Fixed + (128 * 1024 / 368.0 / 0.42), Fixed + (128 * 1024 / 368.0 / 0.42) + Core.MemoryNanoseconds);
    }

    [Fact]
    public void Queues_take_turns_piece_by_piece()
    {
        // 512 KiB and, 60 ns of issue later, 32 KiB on another queue of the same engines: eight pieces of 2 KiB of the long one go in between at most, and not all 16 of each engine.
        var kernel = new KernelBuilder(Trn2, "two queues");
        TileBuffer tiles = kernel.Sbuf("tiles", 4096, 2);
        kernel.Load(StreamId.QueueWeights, tiles[0], 128, 4096);
        kernel.Load(StreamId.QueueActivations, tiles[1], 128, 256);

        StreamState[] streams = Simulator.RunWithTimes(kernel.Build(), Trn2).Streams;

        (streams[(int)StreamId.QueueActivations].Done[0] / 1e6).Should().BeLessThan(Fixed + (8 * (2048 + 256) / 23.0) + Core.MemoryNanoseconds);
        (streams[(int)StreamId.QueueWeights].Done[0] / 1e6).Should().BeGreaterThan(Fixed + (16 * (2048 + 128) / 23.0) - 1);
    }

    [Fact]
    public void A_busy_memory_holds_back_a_core_with_faster_engines()
    {
        // Eight cores share 2.9 TB/s: 362.5 B/ns each, below the engines' 368; opening rows, refreshes and meeting in channels may take 15 % more.
        Accelerator chip = Systolic.Machines.MachinePresets.Accelerator("trn2");
        double ideal = Fixed + (40 * 128 * 4096 / 362.5);

        Core.Nanoseconds(chip, kernel => Repeat(kernel, 40, 4096)).Should().BeInRange(ideal, ideal * 1.15);
    }

    private static Tile Tile(KernelBuilder kernel) => kernel.Sbuf("tile", 4096)[0];

    private static ActivityCounts Counts(Action<KernelBuilder> write) => Core.Run(Trn2, write).Run.Counts;

    private static double Load(int runs, int bytes) => Core.Nanoseconds(Trn2, kernel => kernel.Load(StreamId.QueueActivations, Tile(kernel), runs, bytes));

    private static void Repeat(KernelBuilder kernel, int times, int bytes)
    {
        TileBuffer tiles = kernel.Sbuf("tiles", 4096, times);
        for (int i = 0; i < times; i++)
        {
            kernel.Load(StreamId.QueueActivations, tiles[i], 128, bytes);
        }
    }

    private static void Gather(KernelBuilder kernel, int times)
    {
        Tile indices = Tile(kernel);
        TileBuffer tiles = kernel.Sbuf("tiles", 256, times);
        for (int i = 0; i < times; i++)
        {
            kernel.Gather(StreamId.QueueActivations, tiles[i], indices, 128, 256);
        }
    }
}
