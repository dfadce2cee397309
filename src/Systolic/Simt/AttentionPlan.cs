namespace Systolic.Simt;

/// <summary>One flash-attention kernel on one machine: how long it takes at any clock.</summary>
internal readonly struct AttentionPlan : IKernelTime
{
    private const double MemoryJoin = 4;
    private const double CtaStartCycles = 110;

    private AttentionPlan(AttentionTile tile, AttentionGrid grid, AttentionCost cost, int split) =>
        (Tile, Grid, Cost, Split) = (tile, grid, cost, split);

    public AttentionTile Tile { get; }

    public AttentionGrid Grid { get; }

    public AttentionCost Cost { get; }

    public int Split { get; }

    /// <summary>CTAs per multiprocessor.</summary>
    public int Resident { get; private init; }

    /// <summary>Until the last CTA ends.</summary>
    public double Cycles { get; private init; }

    /// <summary>If all slots ended together.</summary>
    public double BalancedCycles { get; private init; }

    /// <summary>Score elements computed, masked and padded ones among them.</summary>
    public double Elements => Grid.TotalBlocks * Tile.Queries * Tile.Keys;

    /// <summary>Seconds of main-memory traffic.</summary>
    public double MemorySeconds { get; private init; }

    /// <summary>Seconds of launches and of side kernels.</summary>
    public double FixedSeconds { get; private init; }

    /// <summary>Places the CTAs on the machine. A CTA's first loads, the fill of its warpgroup pipeline and its last store show at its edges.</summary>
    /// <param name="spec">The machine.</param>
    /// <param name="tile">The kernel.</param>
    /// <param name="grid">Its CTAs.</param>
    /// <param name="cost">Cycles per score element.</param>
    /// <param name="split">Parts of the keys.</param>
    /// <param name="edgeBytes">Bytes a CTA loads before its first product and stores after its last.</param>
    /// <param name="dramBytes">Main-memory bytes.</param>
    /// <param name="fixedSeconds">Launches and side kernels.</param>
    public static AttentionPlan Of(SimtSpec spec, AttentionTile tile, AttentionGrid grid, AttentionCost cost, int split, double edgeBytes, double dramBytes, double fixedSeconds)
    {
        int resident = grid.Ctas <= spec.Multiprocessors ? 1 : tile.Resident;
        int contexts = Math.Max(1, tile.Contexts * resident / tile.Resident);
        long slots = (long)spec.Multiprocessors * resident;
        double latency = spec.Memory.LatencyCycles * FittedConstants.LoadedLatency;
        double block = Math.Max(resident * cost.Interval(contexts) * tile.Queries * tile.Keys, latency / 2);
        bool warpgroups = spec.TensorCores.Instruction == MatrixInstruction.Wgmma;
        double fill = warpgroups ? cost.Sum * tile.Queries * tile.Keys / contexts : 0;
        double edge = spec.Memory.LatencyCycles + CtaStartCycles + fill + (edgeBytes / spec.Multiprocessor.PortBytesPerCycle);
        return new AttentionPlan(tile, grid, cost, split)
        {
            Resident = resident,
            Cycles = grid.Makespan(slots, block, edge, warpgroups),
            BalancedCycles = grid.Balanced(slots, block, edge),
            MemorySeconds = dramBytes / spec.Memory.Sustained,
            FixedSeconds = fixedSeconds,
        };
    }

    /// <inheritdoc/>
    public double SecondsAt(double hertz) => FixedSeconds + BodySeconds(hertz);

    /// <summary>Seconds of the kernel itself.</summary>
    public double BodySeconds(double hertz) => Join.Norm(Cycles / hertz, MemorySeconds, MemoryJoin);
}
