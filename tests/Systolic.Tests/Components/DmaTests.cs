using Systolic.Accounting;
using Systolic.Kernels;
using Systolic.Programs;
using Systolic.Tests.Simulation;

namespace Systolic.Tests.Components;

public class DmaTests
{
    // Trainium2: 60 ns to issue, 1,300 ns to the first byte, 300 ns to the consumer; 16 engines of 23 B/ns, 8 partitions each.
    private const double Fixed = 60 + 1300 + 300;

    [Fact]
    public void A_transfer_over_all_partitions_moves_at_the_rate_of_all_engines()
    {
        // 128 x 4,096 B at 368 B/ns: 1,424.7 ns.
        Load(128, 4096).Should().BeApproximately(Fixed + (128 * 4096 / 368.0), 0.01);
    }

    [Fact]
    public void Eight_runs_go_to_one_engine()
    {
        // 8 x 256 B at 23 B/ns: 89.0 ns (the vendor's profile shows 97).
        Load(8, 256).Should().BeApproximately(Fixed + (8 * 256 / 23.0), 0.01);
        // Nine runs are two engines' work.
        Load(9, 256).Should().BeApproximately(Fixed + (9 * 256 / 46.0), 0.01);
    }

    [Fact]
    public void A_run_is_charged_as_at_least_256_bytes()
    {
        Load(128, 2).Should().Be(Load(128, 256));
        Load(128, 257).Should().BeGreaterThan(Load(128, 256));
        Counts(kernel => kernel.Load(StreamId.QueueSmall, Tile(kernel), 128, 2))[ActivityKind.DramReadByte].Should().Be(256, "only the time is rounded up");
    }

    [Fact]
    public void Two_transfers_at_once_share_the_engines_first_come_first_served()
    {
        // Both issue at 0 on their own queues; the second's bytes follow the first's: 2 x 512 KiB at 368 B/ns.
        double time = Core.Nanoseconds(Core.Trn2, kernel =>
        {
            kernel.Load(StreamId.QueueWeights, Tile(kernel), 128, 4096);
            kernel.Load(StreamId.QueueActivations, Tile(kernel), 128, 4096);
        });

        time.Should().BeApproximately(Fixed + (2 * 128 * 4096 / 368.0), 0.01);
    }

    [Fact]
    public void Transfers_of_one_queue_issue_one_interval_apart_and_stream_behind_each_other()
    {
        // Ten of 1,424.7 ns each: issue (60 ns) hides behind the bytes.
        double time = Core.Nanoseconds(Core.Trn2, kernel => Repeat(kernel, 10, 4096));

        time.Should().BeApproximately(Fixed + (10 * 128 * 4096 / 368.0), 0.01);
    }

    [Theory]
    [InlineData("trn1-core", 860)]
    [InlineData("trn2-core", 600)]
    [InlineData("trn3-core", 600)]
    public void Small_transfers_described_at_run_time_are_bound_by_their_description(string machine, double interval)
    {
        // 32 KiB takes 120 ns or less, so only the description counts: the tenth starts nine intervals after the first.
        Systolic.Hardware.Accelerator core = Systolic.Machines.MachinePresets.Accelerator(machine);
        double one = Core.Nanoseconds(core, kernel => Gather(kernel, 1)), ten = Core.Nanoseconds(core, kernel => Gather(kernel, 10));

        (ten - one).Should().BeApproximately(9 * interval, 0.01);
    }

    [Fact]
    public void Memory_to_memory_moves_every_byte_twice_through_the_memory()
    {
        ActivityCounts counts = Counts(kernel => kernel.MemoryCopy(StreamId.QueueWeights, 128, 4096));

        counts[ActivityKind.DramReadByte].Should().Be(128 * 4096);
        counts[ActivityKind.DramWriteByte].Should().Be(128 * 4096);
        // 2 x 512 KiB at 92 % of 725 GB/s take 1,572 ns; the engines 1,425.
        Core.Nanoseconds(Core.Trn2, kernel => kernel.MemoryCopy(StreamId.QueueWeights, 128, 4096))
            .Should().BeApproximately(Fixed + (2 * 128 * 4096 / (725 * 0.92)), 0.01);
    }

    [Fact]
    public void A_transpose_within_the_scratchpad_leaves_the_memory_alone()
    {
        ActivityCounts counts = Counts(kernel => kernel.LocalTranspose(Tile(kernel), Tile(kernel), 128, 1024));

        counts.DramBytes.Should().Be(0);
        counts[ActivityKind.ScratchpadReadByte].Should().Be(128 * 1024);
        // 42 % of the copy rate.
        Core.Nanoseconds(Core.Trn2, kernel => kernel.LocalTranspose(Tile(kernel), Tile(kernel), 128, 1024))
            .Should().BeApproximately(Fixed + (128 * 1024 / 368.0 / 0.42), 0.01);
    }

    [Fact]
    public void A_busy_memory_holds_back_a_core_with_faster_engines()
    {
        // Eight cores share 2.9 TB/s x 92 %: 333.5 B/ns each, below the engines' 368.
        Systolic.Hardware.Accelerator chip = Systolic.Machines.MachinePresets.Accelerator("trn2");
        double rate = chip.MemoryPerCore.BytesPerSecond / 1e9;

        rate.Should().BeLessThan(368);
        Core.Nanoseconds(chip, kernel => Repeat(kernel, 10, 4096)).Should().BeApproximately(Fixed + (10 * 128 * 4096 / rate), 0.01);
    }

    private static Tile Tile(KernelBuilder kernel) => kernel.Sbuf("tile", 4096)[0];

    private static ActivityCounts Counts(Action<KernelBuilder> write) => Core.Run(Core.Trn2, write).Run.Counts;

    private static double Load(int runs, int bytes) => Core.Nanoseconds(Core.Trn2, kernel => kernel.Load(StreamId.QueueActivations, Tile(kernel), runs, bytes));

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
