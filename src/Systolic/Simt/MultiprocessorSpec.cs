using Systolic.Units;

namespace Systolic.Simt;

/// <summary>One streaming multiprocessor: four sub-cores with a scheduler each, one register file each, and a shared scratchpad.</summary>
public sealed record MultiprocessorSpec
{
    /// <summary>Sub-cores; each issues one warp instruction per cycle.</summary>
    public required int SubCores { get; init; }

    /// <summary>Warp instructions issued per cycle; another number than that of the sub-cores only to ask what if.</summary>
    internal double IssueRate
    {
        get => field == 0 ? SubCores : field;
        init;
    }

    /// <summary>Scheduler cycles of a run of instructions; fewer than instructions only where more issue is asked what if.</summary>
    internal int IssueCycles(int run) => (int)Math.Max(1, run * SubCores / IssueRate);

    /// <summary>Lanes that finish one fp32 fused multiply-add per cycle.</summary>
    public required int Fp32Lanes { get; init; }

    /// <summary>Lanes of integer, comparison and conversion instructions.</summary>
    public required int IntegerLanes { get; init; }

    /// <summary>Lanes of exponentials, roots and reciprocals.</summary>
    public required int SpecialFunctionLanes { get; init; }

    /// <summary>32-bit registers.</summary>
    public required int Registers { get; init; }

    /// <summary>Warps that can be resident.</summary>
    public required int MaximumWarps { get; init; }

    /// <summary>Thread blocks (CTAs) that can be resident.</summary>
    public required int MaximumCtas { get; init; }

    /// <summary>Shared memory that resident CTAs divide.</summary>
    public required Bytes SharedMemory { get; init; }

    /// <summary>The most shared memory one CTA may hold.</summary>
    public required Bytes SharedMemoryPerCta { get; init; }

    /// <summary>The memory that L1 and shared memory divide: L1's when no kernel asks for shared memory.</summary>
    public required Bytes L1Capacity { get; init; }

    /// <summary>One dependent load that L1 holds, in cycles.</summary>
    public required int L1LatencyCycles { get; init; }

    /// <summary>Bytes per cycle of shared memory: its banks times four.</summary>
    public required int SharedBytesPerCycle { get; init; }

    /// <summary>Bytes per cycle from L2 into one multiprocessor.</summary>
    public required int PortBytesPerCycle { get; init; }
}
