using System.Collections.Immutable;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Reporting;
using Systolic.Simt;
using Systolic.Units;

namespace Systolic.Machines;

/// <summary>Machines with one part made free, to ask what that part costs.</summary>
/// <remarks>
/// Free is a rate a thousand times as high and no latency; main memory of a systolic machine serves at once, and arithmetic or bytes that are free count nothing
/// against a power cap. A systolic machine runs the programs written for the machine as it is; a SIMT machine is priced again and its library may choose another kernel.
/// </remarks>
public static class FreedMachine
{
    private const int Faster = 1000;

    /// <summary>The machine with each part that it has made free, and no other.</summary>
    public static IReadOnlyDictionary<MachinePart, IMachine> Each(IMachine machine)
    {
        ArgumentNullException.ThrowIfNull(machine);
        return Enum.GetValues<MachinePart>().Select(part => (part, Freed: Free(machine, part))).Where(pair => pair.Freed is not null).ToImmutableSortedDictionary(pair => pair.part, pair => pair.Freed!);
    }

    private static IMachine? Free(IMachine machine, MachinePart part) => machine switch
    {
        SystolicMachine systolic when Free(systolic.Accelerator, part) is { } timing => new SystolicMachine(systolic.Accelerator) { Timing = timing, Mappings = systolic.Mappings },
        SimtMachine simt when Free(simt.Spec, part) is { } spec => new SimtMachine(spec),
        _ => null,
    };

    private static Accelerator? Free(Accelerator machine, MachinePart part) => part switch
    {
        MachinePart.MatrixUnit => machine with
        {
            TensorEngine = machine.TensorEngine with
            {
                Clock = Times(machine.TensorEngine.Clock),
                SustainedRate = Times(machine.TensorEngine.SustainedRate),
                ResultLatency = SimTime.Zero,
                Throttle = null,
            },
        },
        MachinePart.VectorUnit => machine with { VectorEngine = machine.VectorEngine with { Clock = Times(machine.VectorEngine.Clock) } },
        MachinePart.ScalarUnit => machine with
        {
            ScalarEngine = machine.ScalarEngine with
            {
                Clock = Times(machine.ScalarEngine.Clock),
                ResultLatency = SimTime.Zero,
                DependentLatency = SimTime.Zero,
                TableLoad = SimTime.Zero,
            },
        },
        MachinePart.GeneralEngine => machine with { GpSimdEngine = machine.GpSimdEngine with { Clock = Times(machine.GpSimdEngine.Clock) } },
        MachinePart.Scratchpad => machine with { Sbuf = Free(machine.Sbuf), Psum = Free(machine.Psum) },
        MachinePart.DmaEngines => machine with { Dma = machine.Dma with { EngineBandwidth = machine.Dma.EngineBandwidth * Faster, Outstanding = new Bytes(int.MaxValue) } },
        MachinePart.MainMemory => machine with { Memory = machine.Memory with { IsFree = true } },
        MachinePart.TransferLatency => machine with
        {
            Dma = machine.Dma with
            {
                IssueInterval = Instant,
                BlockInterval = Instant,
                SoftwareInterval = Instant,
                TriggerLatency = SimTime.Zero,
                CompletionLatency = SimTime.Zero,
            },
        },
        MachinePart.Cache when machine.SharedCache is { } cache => machine with { SharedCache = cache with { Bandwidth = cache.Bandwidth * Faster, Latency = SimTime.Zero } },
        MachinePart.Signals => machine with { Synchronization = machine.Synchronization with { SemaphoreLatency = SimTime.Zero } },
        MachinePart.Links when machine.Cores > 1 => machine with { Synchronization = machine.Synchronization with { ExchangeLatency = SimTime.Zero } },
        MachinePart.PowerLimit when machine.TensorEngine.Throttle is not null => machine with { TensorEngine = machine.TensorEngine with { Throttle = null } },
        MachinePart.Launch => machine with { Synchronization = machine.Synchronization with { ProgramOverhead = SimTime.Zero, RunTimeDescriptorOverhead = SimTime.Zero } },
        _ => null,
    };

    private static SimtSpec? Free(SimtSpec machine, MachinePart part)
    {
        (MultiprocessorSpec sm, PowerCapSpec power) = (machine.Multiprocessor, machine.Power);
        return part switch
        {
            MachinePart.MatrixUnit => machine with
            {
                TensorCores = machine.TensorCores with { MacsPerCycle = machine.TensorCores.MacsPerCycle.ToImmutableDictionary(rate => rate.Key, rate => Times(rate.Value)) },
                Power = power with { PerFlop = Nothing },
            },
            MachinePart.VectorUnit => machine with
            {
                Multiprocessor = sm with { Fp32Lanes = Times(sm.Fp32Lanes), IntegerLanes = Times(sm.IntegerLanes), IssueRate = sm.IssueRate * Faster },
            },
            MachinePart.ScalarUnit => machine with { Multiprocessor = sm with { SpecialFunctionLanes = Times(sm.SpecialFunctionLanes) } },
            MachinePart.Scratchpad => machine with { Multiprocessor = sm with { SharedBytesPerCycle = Times(sm.SharedBytesPerCycle) } },
            MachinePart.MainMemory => machine with { Memory = machine.Memory with { Peak = machine.Memory.Peak * Faster }, Power = power with { PerByte = Nothing } },
            MachinePart.TransferLatency => machine with
            {
                Memory = machine.Memory with { LatencyCycles = 1, StreamingCycles = 0 },
                L2 = machine.L2 with { LatencyCycles = 1, FarLatencyCycles = 1 },
                Multiprocessor = sm with { L1LatencyCycles = 1 },
            },
            MachinePart.Cache => machine with
            {
                L2 = machine.L2 with { BytesPerCycle = Times(machine.L2.BytesPerCycle) },
                Multiprocessor = sm with { PortBytesPerCycle = Times(sm.PortBytesPerCycle) },
            },
            MachinePart.PowerLimit => machine with { Power = power with { Cap = Power.FromWatts(1e9) } },
            MachinePart.Launch => machine with { Launch = machine.Launch with { Graph = Instant, Stream = Instant } },
            _ => null,
        };
    }

    /// <summary>The least that a duration or an energy may be where it must not be zero.</summary>
    private static SimTime Instant { get; } = new(1);

    private static Energy Nothing { get; } = Energy.FromPicojoules(1e-12);

    private static ScratchpadSpec Free(ScratchpadSpec memory) => memory with
    {
        Ports = ScratchpadSpec.Engines,
        Exclusions = [],
        ExclusiveBanks = false,
        Width = null,
        Latency = SimTime.Zero,
        AccessSetup = 0,
    };

    private static Frequency Times(Frequency clock) => new(clock.Hertz * Faster);

    private static int Times(int rate) => (int)Math.Min(int.MaxValue, (long)rate * Faster);
}
