using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>One flash-attention kernel on one machine: its CTAs, simulated warp by warp, and how long they take at any clock.</summary>
/// <remarks>Between the highest clock and the one that power allows the cycles are taken as linear: only those of main memory grow with the clock.</remarks>
internal readonly record struct AttentionPlan : IKernelTime
{
    private const int SimulatedBlocks = 12;

    private readonly SimtSpec _spec;
    private readonly MatrixRate _rate;
    private readonly Attention _op;

    private AttentionPlan(SimtSpec spec, MatrixRate rate, Attention op, AttentionTile tile, AttentionGrid grid, int split) =>
        (_spec, _rate, _op, Tile, Grid, Split) = (spec, rate, op, tile, grid, split);

    public AttentionTile Tile { get; }

    public AttentionGrid Grid { get; }

    public int Split { get; }

    /// <summary>Main-memory bytes.</summary>
    public double DramBytes { get; private init; }

    /// <summary>Seconds of launches and of side kernels.</summary>
    public double FixedSeconds { get; private init; }

    /// <summary>The clock that power allows.</summary>
    public double Hertz { get; private init; }

    /// <summary>Until the last CTA ends, at <see cref="Hertz"/>.</summary>
    public double Cycles { get; private init; }

    /// <summary>Share of them that would do if all slots ended together.</summary>
    public double BalancedShare { get; private init; }

    /// <summary>What the schedulers of a multiprocessor waited for.</summary>
    public long[] Stack { get; private init; } = [];

    private double Slope { get; init; }

    /// <summary>CTAs per multiprocessor.</summary>
    public int Resident => Grid.Ctas <= _spec.Multiprocessors ? 1 : Tile.Resident;

    /// <summary>Score elements computed, masked and padded ones among them.</summary>
    public double Elements => Grid.TotalBlocks * Tile.Queries * Tile.Keys;

    /// <summary>Main memory gives less than L2 and the port would take.</summary>
    public bool MemoryBound => MemoryRate(Hertz) < Math.Min(_spec.Multiprocessor.PortBytesPerCycle, L2Rate);

    /// <summary>Bytes that a block of all warps of a CTA moves through the shared port.</summary>
    public double SharedBytes { get; private init; }

    /// <summary>Seconds of main-memory traffic.</summary>
    public double MemorySeconds => DramBytes / _spec.Memory.Sustained;

    /// <summary>Simulates a kernel at the highest clock and, where power does not allow it and main memory matters, at the clock that it allows.</summary>
    /// <param name="spec">The machine.</param>
    /// <param name="rate">How it multiplies.</param>
    /// <param name="op">The operator.</param>
    /// <param name="tile">The kernel.</param>
    /// <param name="grid">Its CTAs.</param>
    /// <param name="split">Parts of the keys.</param>
    /// <param name="dramBytes">Main-memory bytes.</param>
    /// <param name="fixedSeconds">Launches and side kernels.</param>
    /// <param name="fp16Flops">Arithmetic per score element, in fp16 tensor FLOPs of equal energy.</param>
    public static AttentionPlan Of(SimtSpec spec, MatrixRate rate, Attention op, AttentionTile tile, AttentionGrid grid, int split, double dramBytes, double fixedSeconds, double fp16Flops)
    {
        double maximum = spec.MaximumClock.Hertz;
        AttentionPlan fastest = new AttentionPlan(spec, rate, op, tile, grid, split) { DramBytes = dramBytes, FixedSeconds = fixedSeconds }.At(maximum);
        double flops = fastest.Elements * fp16Flops, hertz = PowerCap.Clock(spec, fastest, dramBytes, flops);
        if (fastest.SupplyAt(hertz) == fastest.SupplyAt(maximum))
        {
            return fastest with { Hertz = hertz };
        }

        AttentionPlan slower = fastest.At(hertz);
        slower = slower with { Slope = (fastest.Cycles - slower.Cycles) / (maximum - hertz) };
        hertz = PowerCap.Clock(spec, slower, dramBytes, flops);
        return slower with { Cycles = slower.CyclesAt(hertz), Hertz = hertz };
    }

    /// <inheritdoc/>
    public double SecondsAt(double hertz) => FixedSeconds + (FittedConstants.ColdStartCycles / hertz) + BodySeconds(hertz);

    /// <summary>Seconds of the CTAs.</summary>
    public double BodySeconds(double hertz) => Math.Max(CyclesAt(hertz) / hertz, MemorySeconds);

    // Between the two clocks only: where they are close, schedules that differ by chance would make a slope without meaning beyond them.
    private double CyclesAt(double hertz) => Cycles + (Slope * Math.Clamp(hertz - Hertz, 0, _spec.MaximumClock.Hertz - Hertz));

    /// <summary>Simulates CTAs of two lengths: what a block adds, and what a CTA takes besides; where slots take several CTAs, as those behind the first.</summary>
    private AttentionPlan At(double hertz)
    {
        AttentionPlan plan = this;
        Supply supply = SupplyAt(hertz);
        int rows = _op.Backward ? Tile.Keys : Tile.Queries, columns = _op.Backward ? Tile.Queries : Tile.Keys;
        int masked = _op.Causal && _op.QueryTokens > 1 ? (rows + columns - 1) / columns * (_op.Window is null ? 1 : 2) : 0;
        long slots = (long)_spec.Multiprocessors * Resident;
        CtaProgram Program(int blocks) => AttentionCta.Of(plan._spec, plan._rate, plan._op, plan.Tile, blocks, masked);
        MultiprocessorRun Run(int blocks, int ctas) => Multiprocessor.Run(WarpCode.Config(plan._spec), Program(blocks), plan.Resident, [new CtaBatch(ctas, supply)]);

        int some = (int)Math.Clamp(Grid.Longest, 1, SimulatedBlocks), few = (some + 2) / 3;
        double Cta(int blocks, MultiprocessorRun first) => plan.Grid.Ctas <= slots ? first.Cycles : (Run(blocks, 3 * plan.Resident).Cycles - first.Cycles) / 2.0;
        MultiprocessorRun run = Run(some, Resident);
        double longer = Cta(some, run), block = some > few ? (longer - Cta(few, Run(few, Resident))) / (some - few) : longer, edge = longer - (some * block);
        double cycles = Grid.Makespan(slots, block, edge, AttentionTile.Warpgroups(_spec, _rate));
        return this with
        {
            Hertz = hertz,
            Cycles = cycles,
            BalancedShare = Grid.Balanced(slots, block, edge) / cycles,
            Stack = run.Stack,
            SharedBytes = Program(some).Sum(instruction => instruction.Wavefronts) * (double)_spec.Multiprocessor.SharedBytesPerCycle / some,
        };
    }

    /// <summary>Multiprocessors that share L2 and main memory.</summary>
    private double Active => Math.Min(Grid.Ctas, _spec.Multiprocessors);

    /// <summary>Share of the bytes that come from main memory.</summary>
    private double Misses
    {
        get
        {
            double kept = _op.Backward ? Tile.Keys : Tile.Queries;
            return Math.Min(1, DramBytes / (((Elements / kept) + (Grid.Ctas * kept)) * (_op.HeadDim + _op.ValueDim) * _op.Type.ByteSize()));
        }
    }

    /// <summary>Bytes per cycle of a multiprocessor's share of L2.</summary>
    private double L2Rate => _spec.L2.BytesPerCycle / Active;

    /// <summary>Bytes per cycle that it receives when main memory is the limit.</summary>
    private double MemoryRate(double hertz) => _spec.Memory.Sustained / hertz / Active / Misses;

    private Supply SupplyAt(double hertz)
    {
        double port = _spec.Multiprocessor.PortBytesPerCycle, l2 = _spec.L2.MeanLatencyCycles, memory = _spec.Memory.LatencyCycles + _spec.Memory.StreamingCycles;
        return Supply.Of(Math.Min(port, Math.Min(L2Rate, MemoryRate(hertz))), Math.Min(port, L2Rate / 2), l2 + (Misses * (memory - l2)));
    }
}
