using CsCheck;
using Systolic.Hardware;
using Systolic.Simulation;
using Systolic.Units;

namespace Systolic.Tests.Simulation;

/// <summary>More of anything is never slower for one fixed program whose transfers are served in a fixed order, but for refreshes and rows that it meets at another moment.</summary>
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

    // HBM3 refreshes all banks of a pseudo-channel in 350 ns and reopens rows.
    private const double Refresh = 0.5;

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
                fast.Microseconds.Should().BeLessThanOrEqualTo((slow.Microseconds * 1.01) + Refresh, "{0} only grows", what);
            },
            iter: 500);
    }
}
