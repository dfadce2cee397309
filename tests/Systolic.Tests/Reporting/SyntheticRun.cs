using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Reporting;
using Systolic.Units;

namespace Systolic.Tests.Reporting;

/// <summary>Runs written by hand with figures that a reader can check in the head.</summary>
internal static class SyntheticRun
{
    /// <summary>A microsecond in femtoseconds.</summary>
    public const long Microsecond = 1_000_000_000;

    /// <summary>Round prices: 100 pJ per operation and scratchpad byte, 1,000 pJ per byte of main memory.</summary>
    public static EnergyReferenceTable Prices { get; } = EnergyReferenceTable.Read(
        """
        activity,node_nm,machine,energy_pj,low_pj,high_pj,confidence,source,notes
        MacBf16,5,any,100,50,200,assumed,this test,
        MacFp8,5,any,100,50,200,assumed,this test,
        VectorOp,5,any,100,50,200,assumed,this test,
        ScratchpadReadByte,5,any,100,50,200,assumed,this test,
        DramReadByte,5,any,1000,500,2000,assumed,this test,
        DramWriteByte,5,any,1000,500,2000,assumed,this test,
        """,
        "round.csv");

    /// <summary>1 GHz, so that a microsecond is 1,000 cycles; 1e12 bf16 MAC/s; 1e11 B/s; 10 W idle, 20 W active.</summary>
    public static MachineProfile Array { get; } = new()
    {
        Name = "array",
        Clock = new Clock(Frequency.FromGigahertz(1)),
        MatrixEngine = "tensor",
        PeakMacsPerSecond = ImmutableDictionary<DataType, double>.Empty.Add(DataType.Bf16, 1e12).Add(DataType.Fp8E4M3, 2e12),
        MainMemory = Bandwidth.FromGigabytesPerSecond(100),
        MainMemoryCapacity = Bytes.FromGibibytes(1),
        Energy = new EnergyModel(5, "systolic", Power.FromWatts(10), Power.FromWatts(20)),
        Assumptions = [new Assumption("dma.latency", "a guess, with \"quotes\" | and a bar"), new Assumption("tensor.drain", "no source")],
    };

    /// <summary>Half the peaks of <see cref="Array"/> at three times the power.</summary>
    public static MachineProfile Other { get; } = Array with
    {
        Name = "other",
        PeakMacsPerSecond = ImmutableDictionary<DataType, double>.Empty.Add(DataType.Bf16, 5e11),
        MainMemory = Bandwidth.FromGigabytesPerSecond(50),
        Energy = new EnergyModel(5, "simt", Power.FromWatts(30), Power.FromWatts(60)),
        Assumptions = [],
    };

    /// <summary>Two matmuls (3 runs of 10 us) and a norm (2 runs of 5 us), 10 us of launch: 50 us in all.</summary>
    public static RunTrace Trace { get; } = new()
    {
        Engines = [new EngineInfo("tensor", 2), new EngineInfo("vector", 1)],
        Operators =
        [
            Matmul("layer/q_proj", 2),
            Matmul("layer/k_proj", 1),
            Norm("layer/norm, \"rms\"", 2),
        ],
        Overhead = Stack((CycleComponent.Launch, 10 * Microsecond)),
        Bound = new LowerBound(new SimTime(12 * Microsecond), new SimTime(9 * Microsecond)),
        Spans =
        [
            new Span("tensor", "q_proj", new SimTime(10 * Microsecond), new SimTime(10 * Microsecond)),
            new Span("dma 0", "load \"x\"", new SimTime(9_999_999_999), new SimTime(1)),
            new Span("vector", "norm", new SimTime(40 * Microsecond), new SimTime(5 * Microsecond)),
        ],
    };

    /// <summary>The trace on <see cref="Array"/>, 100 tokens.</summary>
    public static RunReport Report { get; } = RunReport.From(Array, Trace, "toy", "prefill 100 tokens, batch 1", 100, Prices);

    /// <summary>The trace on <see cref="Other"/> with 50 us more of launch: 100 us.</summary>
    public static RunReport Baseline { get; } = RunReport.From(
        Other, Trace with { Overhead = Stack((CycleComponent.Launch, 60 * Microsecond)), Spans = [] }, "toy", "prefill 100 tokens, batch 1", 100, Prices);

    /// <summary>A stack of the given parts.</summary>
    public static CycleStack Stack(params (CycleComponent Component, long Femtoseconds)[] parts)
    {
        var stack = new CycleStack();
        foreach ((CycleComponent component, long femtoseconds) in parts)
        {
            stack.Add(component, new SimTime(femtoseconds));
        }

        return stack;
    }

    /// <summary>Counts of the given kinds.</summary>
    public static ActivityCounts Counts(params (ActivityKind Kind, long Count)[] parts)
    {
        var counts = new ActivityCounts();
        foreach ((ActivityKind kind, long count) in parts)
        {
            counts.Add(kind, count);
        }

        return counts;
    }

    private static OperatorRun Matmul(string name, long repeat) => new()
    {
        Name = name,
        Kind = "matmul",
        Shape = "100x200x200",
        Repeat = repeat,
        Mapping = "tile 100x128x200, weight stationary",
        Time = new SimTime(10 * Microsecond),
        UsefulMacs = new MacCount(4_000_000),
        Bound = new LowerBound(new SimTime(4 * Microsecond), new SimTime(2 * Microsecond)),
        Counts = Counts((ActivityKind.MacBf16, 5_000_000), (ActivityKind.DramReadByte, 160_000), (ActivityKind.DramWriteByte, 40_000), (ActivityKind.ScratchpadReadByte, 80_000)),
        Stack = Stack((CycleComponent.MatrixWork, 6 * Microsecond), (CycleComponent.MemoryBandwidth, 4 * Microsecond)),
        Busy = [new SimTime(16 * Microsecond), SimTime.Zero],
        ScratchpadHighWater = new Bytes(65_536),
    };

    private static OperatorRun Norm(string name, long repeat) => new()
    {
        Name = name,
        Kind = "norm",
        Shape = "100x200",
        Repeat = repeat,
        Mapping = "rows of 128",
        Time = new SimTime(5 * Microsecond),
        UsefulMacs = MacCount.Zero,
        Bound = new LowerBound(SimTime.Zero, new SimTime(1 * Microsecond)),
        Counts = Counts((ActivityKind.VectorOp, 80_000), (ActivityKind.DramReadByte, 100_000)),
        Stack = Stack((CycleComponent.Vector, 5 * Microsecond)),
        Busy = [SimTime.Zero, new SimTime(4 * Microsecond)],
        ScratchpadHighWater = new Bytes(32_768),
    };
}
