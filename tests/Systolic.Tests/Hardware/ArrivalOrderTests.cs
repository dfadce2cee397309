using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Simulation;

namespace Systolic.Tests.Hardware;

public sealed class ArrivalOrderTests
{
    // trn2: software writes the descriptors of a gather for 860 ns, a load is issued in 60; both start at 0 and need 1,000 ns to the engines. The load arrives at 1,060 and finds
    // them idle: 128 x 480 B / 368 GB/s = 166.96 ns and 300 ns of completion make 1,526.96. The gather arrives at 1,860.
    [Fact]
    public void A_load_is_not_held_back_by_a_gather_that_arrives_later()
    {
        var kernel = new KernelBuilder(Core.WithoutRefresh(MachinePresets.Accelerator("trn2-core")), "two queues");
        TileBuffer tiles = kernel.Sbuf("tiles", 480, 3);
        kernel.Descriptors = DescriptorSource.Software;
        kernel.Gather(StreamId.QueueWeights, tiles[0], tiles[1], 128, 480);
        kernel.Descriptors = DescriptorSource.Compiled;
        kernel.Load(StreamId.QueueActivations, tiles[2], 128, 480);

        StreamState[] streams = Simulator.RunWithTimes(kernel.Build(), kernel.Machine).Streams;

        (streams[(int)StreamId.QueueActivations].Done[0] / 1e6).Should().BeInRange(1526.96, 1526.96 + Core.MemoryNanoseconds);
        (streams[(int)StreamId.QueueWeights].Done[0] / 1e6).Should().BeInRange(1860 + 166.96 + 300, 1860 + 166.96 + 300 + (4 * Core.MemoryNanoseconds), "its rows lie anywhere");
    }
}
