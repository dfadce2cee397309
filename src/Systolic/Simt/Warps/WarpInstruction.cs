namespace Systolic.Simt;

/// <summary>The unit that an instruction of a warp needs.</summary>
internal enum Pipe
{
    /// <summary>None: a control, commit or barrier instruction.</summary>
    None,

    /// <summary>Fused multiply-adds in fp32.</summary>
    Fp32,

    /// <summary>Integers, addresses, comparisons, conversions.</summary>
    Integer,

    /// <summary>Exponentials, roots, reciprocals (MUFU).</summary>
    Special,

    /// <summary>HMMA or mma.sync: operands and result in registers.</summary>
    Tensor,

    /// <summary>A warp's quarter of a wgmma: queued at the tensor core, operands read from shared memory.</summary>
    Warpgroup,

    /// <summary>Loads and stores of shared memory, ldmatrix.</summary>
    Shared,

    /// <summary>Reads from beyond the multiprocessor: LDG, cp.async, TMA.</summary>
    Load,

    /// <summary>Writes to L2: STG, TMA store.</summary>
    Store,
}

/// <summary>What an instruction does at a barrier of its CTA.</summary>
internal enum BarrierUse
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Arrives when its result is there (mbarrier.arrive, or the transaction bytes of a TMA load), and goes on.</summary>
    Arrive,

    /// <summary>Issues only when the next phase is complete (mbarrier.try_wait).</summary>
    Wait,

    /// <summary>Arrives, and the next instruction waits for the same phase (bar.sync).</summary>
    Sync,
}

/// <summary>One instruction of a warp, or a run of alike ones, as plain data. All durations in SM cycles.</summary>
/// <param name="Pipe">The unit it needs.</param>
/// <param name="PipeCycles">How long it holds a unit of its sub-core: 32 lanes over the lanes there are, bank conflicts among operands added.</param>
/// <param name="Latency">From the moment its unit lets go until dependents may issue.</param>
internal readonly record struct WarpInstruction(Pipe Pipe, int PipeCycles = 0, int Latency = 0)
{
    /// <summary>Scheduler cycles it takes: 1, or the length of the run it stands for.</summary>
    public int Issues { get; init; } = 1;

    /// <summary>Cycles from its issue to the earliest issue of the warp's next instruction: the stall count that the compiler sets for results of known latency.</summary>
    public int Stall { get; init; } = 1;

    /// <summary>Scoreboard (0 to 5) held until its result is there; -1 for none.</summary>
    public int Sets { get; init; } = -1;

    /// <summary>Mask of scoreboards that must be clear before it issues.</summary>
    public int Waits { get; init; }

    /// <summary>Cycles of the shared-memory port, 128 bytes each.</summary>
    public int Wavefronts { get; init; }

    /// <summary>Bytes to or from L2.</summary>
    public int Bytes { get; init; }

    /// <summary>What it does at <see cref="Barrier"/>.</summary>
    public BarrierUse Use { get; init; }

    /// <summary>A barrier of the CTA.</summary>
    public int Barrier { get; init; }

    /// <summary>Its completion belongs to the warp's open group (cp.async, wgmma).</summary>
    public bool Joins { get; init; }

    /// <summary>Closes the open group, itself included (commit_group).</summary>
    public bool Commits { get; init; }

    /// <summary>Issues only when at most so many of the latest groups are incomplete (wait_group); -1 for no wait. At most 7.</summary>
    public int GroupsLeft { get; init; } = -1;
}
