using CsCheck;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Units;

namespace Systolic.Tests.Simulation;

/// <summary>More of anything is never slower for one fixed program whose transfers are served in a fixed order.</summary>
public class MonotonicityTests
{
    public static TheoryData<string> Faster => [.. Variants.Keys];

    private static readonly Dictionary<string, Func<Accelerator, Accelerator>> Variants = new()
    {
        ["memory bandwidth"] = machine => machine with { Memory = machine.Memory with { Bandwidth = machine.Memory.Bandwidth * 1.3 } },
        ["dma bandwidth"] = machine => machine with { Dma = machine.Dma with { EngineBandwidth = machine.Dma.EngineBandwidth * 1.3 } },
        ["trigger latency"] = machine => machine with { Dma = machine.Dma with { TriggerLatency = SimTime.FromNanoseconds(700) } },
        ["vector clock"] = machine => machine with { VectorEngine = machine.VectorEngine with { Clock = new Frequency(machine.VectorEngine.Clock.Hertz * 2) } },
        ["scalar clock"] = machine => machine with { ScalarEngine = machine.ScalarEngine with { Clock = new Frequency(machine.ScalarEngine.Clock.Hertz * 2) } },
        ["semaphore latency"] = machine => machine with { Synchronization = machine.Synchronization with { SemaphoreLatency = SimTime.Zero } },
    };

    [Theory]
    [MemberData(nameof(Faster))]
    public void Is_never_slower(string what)
    {
        Accelerator faster = Variants[what](Core.Trn2);
        RandomPrograms.All.Sample(
            steps =>
            {
                Programs.Program program = RandomPrograms.Write(steps, Core.Trn2, oneQueue: true);
                SimTime slow = Simulator.Run(program, Core.Trn2).Time, fast = Simulator.Run(program, faster).Time;
                fast.Should().BeLessThanOrEqualTo(slow, "{0} only grows", what);
            },
            iter: 500);
    }

    [Fact]
    public void A_faster_engine_may_let_a_store_overtake_the_load_that_everything_waits_for()
    {
        // First come, first served: with the slow VectorE (1,150 ns) the small load is issued first (GpSimdE, 1,050 ns) and the 2 MiB store
        // hides behind what follows it. With the fast one (600 ns) the load queues behind the store's 5.7 us.
        var kernel = new KernelBuilder(Core.Trn2, "overtaken");
        TileBuffer tiles = kernel.Sbuf("tiles", 16384, 5);
        kernel.Copy(StreamId.Vector, tiles[1], tiles[0], 128, 1912, DataType.Fp32, DataType.Fp32);
        kernel.Store(StreamId.QueueStores, tiles[1], 128, 16384);
        kernel.AffineSelect(tiles[3], tiles[2], 128, 1050, DataType.Fp32);
        kernel.Load(StreamId.QueueActivations, tiles[2], 128, 256);
        kernel.Activation(ActivationFunction.Square, tiles[4], tiles[2], null, 128, 12000, DataType.Fp32, DataType.Fp32);
        Programs.Program program = kernel.Build();

        SimTime slow = Simulator.RunWithTimes(program, Core.Trn2).Run.Time, fast = Simulator.RunWithTimes(program, Variants["vector clock"](Core.Trn2)).Run.Time;

        (fast - slow).Microseconds.Should().BeInRange(4, 5.7);
    }
}
