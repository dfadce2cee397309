using Systolic.Accounting;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;

namespace Systolic.Tests.Simulation;

/// <summary>Who writes the descriptors of transfers decides how soon after each other they are issued.</summary>
public class DescriptorTests
{
    [Theory]
    [InlineData(DescriptorSource.Compiled, 60)]
    [InlineData(DescriptorSource.Hardware, 600)]
    [InlineData(DescriptorSource.HardwareOneBlock, 600)]
    [InlineData(DescriptorSource.Software, 860)]
    public void Transfers_of_a_queue_are_issued_one_interval_apart(DescriptorSource source, double interval)
    {
        StreamState queue = Core.Run(Core.Trn2, kernel => Load(kernel, source, StreamId.QueueActivations, 4)).Streams[(int)StreamId.QueueActivations];

        queue.Free.Select(issued => issued / 1e6).Should().Equal(interval, 2 * interval, 3 * interval, 4 * interval);
    }

    [Fact]
    public void Loads_share_a_block_and_stores_have_another()
    {
        // Two queues of loads take turns at one block: 600, 1,200, ... The store's block is its own; compiled transfers wait for none.
        StreamState[] streams = Core.Run(Core.Trn2, kernel =>
        {
            Load(kernel, DescriptorSource.Hardware, StreamId.QueueActivations, 2);
            Load(kernel, DescriptorSource.Hardware, StreamId.QueueWeights, 2);
            TileView tile = kernel.Sbuf("z", 8, DataType.Bf16)[0][.., ..];
            kernel.Store(StreamId.QueueStores, kernel.Output("z", 128, 8, DataType.Bf16).Part(0, 128), tile);
            Load(kernel, DescriptorSource.Compiled, StreamId.QueueSmall, 1);
        }).Streams;

        streams[(int)StreamId.QueueActivations].Free.Concat(streams[(int)StreamId.QueueWeights].Free).Select(issued => issued / 1e6).Should().BeEquivalentTo([600.0, 1200, 1800, 2400]);
        (streams[(int)StreamId.QueueStores].Free[0] / 1e6).Should().Be(600);
        (streams[(int)StreamId.QueueSmall].Free[0] / 1e6).Should().Be(60);
    }

    [Fact]
    public void One_block_serves_loads_and_stores_where_one_engine_triggers_all()
    {
        StreamState[] streams = Core.Run(Core.Trn2, kernel =>
        {
            Load(kernel, DescriptorSource.HardwareOneBlock, StreamId.QueueActivations, 1);
            kernel.Store(StreamId.QueueStores, kernel.Output("z", 128, 8, DataType.Bf16).Part(0, 128), kernel.Sbuf("z", 8, DataType.Bf16)[0][.., ..]);
        }).Streams;

        new[] { streams[(int)StreamId.QueueActivations].Free[0], streams[(int)StreamId.QueueStores].Free[0] }.Should().BeEquivalentTo([600_000_000L, 1_200_000_000L]);
    }

    [Theory]
    [InlineData(DescriptorSource.Hardware, 1000)] // the trigger latency holds the 600 ns of the block
    [InlineData(DescriptorSource.HardwareOneBlock, 1000)]
    [InlineData(DescriptorSource.Software, 860 + 1000)] // software writes descriptors before it triggers
    public void The_first_byte_comes_the_trigger_latency_after_the_trigger(DescriptorSource source, double first)
    {
        // Against 60 + 1,000 ns where the compiler wrote descriptors; main memory refreshes at other moments.
        (Done(source) - Done(DescriptorSource.Compiled)).Should().BeApproximately(first - 1060, 1);

        static double Done(DescriptorSource source) => Core.Run(Core.Trn2, kernel => Load(kernel, source, StreamId.QueueActivations, 1)).Streams[(int)StreamId.QueueActivations].Done[0] / 1e6;
    }

    [Fact]
    public void A_machine_without_blocks_refuses_hardware_descriptors()
    {
        Action describe = () => new KernelBuilder(Core.Trn1, "k") { Descriptors = DescriptorSource.Hardware }.Build();

        describe.Should().Throw<CapacityException>().WithMessage("k: trn1-core has no descriptor generation blocks: dma.descriptorBlocks is 0. Let the compiler or software describe transfers.");
    }

    [Fact]
    public void Cores_exchange_signals_and_then_bytes()
    {
        // 3 us for the signals and 50 ns to the queue, then 60 + 1,000 + 128 x 512 B / 368 + 300 ns.
        double time = Core.Nanoseconds(Core.Trn2, kernel =>
        {
            TileBuffer tiles = kernel.Sbuf("x", 256, DataType.Bf16, 2);
            kernel.SendReceive(tiles[1][.., ..], tiles[0][.., ..]);
        });

        time.Should().BeApproximately(3050 + 60 + 1000 + (128 * 512 / 368.0) + 300, 1);
    }

    private static void Load(KernelBuilder kernel, DescriptorSource source, StreamId queue, int count)
    {
        kernel.Descriptors = source;
        TileBuffer tiles = kernel.Sbuf("x" + queue, 8, DataType.Bf16, count);
        MemoryTensor input = kernel.Input("x" + queue, 128L * count, 8, DataType.Bf16);
        for (int i = 0; i < count; i++)
        {
            kernel.Load(queue, tiles[i][.., ..], input.Part(128L * i, 128));
        }
    }
}
