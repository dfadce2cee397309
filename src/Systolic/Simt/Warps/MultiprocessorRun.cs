namespace Systolic.Simt;

/// <summary>Why a scheduler issues nothing in a cycle, or that it issues.</summary>
internal enum WarpStall
{
    /// <summary>It issues.</summary>
    Issue,

    /// <summary>No CTA has started yet, or the next one replaces one that ended.</summary>
    Launch,

    /// <summary>A result of known latency: the stall count.</summary>
    Dependency,

    /// <summary>Bytes from L2 or main memory.</summary>
    Memory,

    /// <summary>Other warps at a barrier.</summary>
    Barrier,

    /// <summary>The tensor core is busy, or its result is awaited.</summary>
    Tensor,

    /// <summary>The pipe of the CUDA cores, integers or special functions is busy, or its result is awaited.</summary>
    Arithmetic,

    /// <summary>The shared-memory port is behind, or its data are awaited.</summary>
    Shared,

    /// <summary>Nothing is left to issue.</summary>
    Idle,
}

/// <summary>The result of a simulation of one multiprocessor.</summary>
/// <param name="Cycles">Until the last instruction issued and the last result, write included, was there.</param>
/// <param name="Issued">Warp instructions, runs counted as one.</param>
/// <param name="Simulated">Those gone through one by one; the others were added with whole periods.</param>
/// <param name="Stack">Scheduler cycles by <see cref="WarpStall"/>, over all sub-cores: sums to sub-cores x cycles.</param>
internal sealed record MultiprocessorRun(long Cycles, long Issued, long Simulated, long[] Stack)
{
    /// <summary>Whether it was simulated to its end; otherwise cycles and stack are extrapolated.</summary>
    public bool IsExact { get; init; } = true;

    /// <summary>Causes.</summary>
    public const int Causes = (int)WarpStall.Idle + 1;
}

/// <summary>One issue, for tests: when and what.</summary>
internal readonly record struct WarpIssue(long Cycle, int SubCore, int Slot, int Warp, int Segment, int Instruction);
