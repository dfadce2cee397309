namespace Systolic.Simt;

/// <summary>One kernel and one split of K for one product: its CTAs, where they run, and the bytes they move.</summary>
/// <remarks>
/// Stream-K (Osama et al., arXiv 2301.03598, hybrid of 5.2): whole waves of tiles but the last one, then the k steps of all tiles that are left, dealt evenly to one more wave of CTAs.
/// A tile that several of them share is finished by the one that has its first step: the others leave partial sums in L2.
/// </remarks>
internal sealed class GemmPlan
{
    private const long Budget = 10_000;
    private const double LikelyNorm = 4;
    private readonly SimtSpec _spec;
    private readonly GemmProblem _problem;

    private GemmPlan(SimtSpec spec, GemmProblem problem, GemmTile tile, int split, int resident, bool streamed)
    {
        (_spec, _problem, Tile, Split, Resident) = (spec, problem, tile, split, resident);
        Tiles = Ceiling(problem.M, tile.M) * Ceiling(problem.N, tile.N) * problem.Batch;
        KSteps = Ceiling(problem.K * problem.ElementBytes, tile.KBytes);
        Steps = (int)Ceiling(KSteps, split);
        Slots = (long)spec.Multiprocessors * resident;
        (FullWaves, Remainder) = Math.DivRem(Tiles * split, Slots);
        LastSteps = Steps;
        ReductionBytes = split == 1 ? 0 : 2.0 * split * problem.M * problem.N * problem.Batch * sizeof(float);
        if (streamed)
        {
            Streamed = true;
            FullWaves = Math.Max(0, FullWaves - 1);
            long steps = (Tiles - (FullWaves * Slots)) * KSteps;
            LastSteps = (int)Ceiling(steps, Slots);
            Remainder = Ceiling(steps, LastSteps);
            ReductionBytes = 2.0 * SharedTiles() * tile.M * tile.N * sizeof(float);
        }

        ReadBytes = GemmTraffic.Reads(spec, problem, tile, (double)Slots / split);
        WrittenBytes = problem.ResultBytes * problem.Batch;
    }

    public GemmTile Tile { get; }

    public int Split { get; }

    public int Resident { get; }

    public long Tiles { get; }

    /// <summary>k steps of a tile.</summary>
    public long KSteps { get; }

    /// <summary>k steps of a CTA.</summary>
    public int Steps { get; }

    /// <summary>k steps of a CTA of the last wave.</summary>
    public int LastSteps { get; }

    /// <summary>The last wave shares its tiles (stream-K).</summary>
    public bool Streamed { get; }

    public long Ctas => (FullWaves * Slots) + Remainder;

    /// <summary>CTAs that run at the same time.</summary>
    public long Slots { get; }

    public long FullWaves { get; }

    /// <summary>CTAs of the last wave, which is partial or streamed.</summary>
    public long Remainder { get; }

    public double ReadBytes { get; }

    public double WrittenBytes { get; }

    public double ReductionBytes { get; }

    /// <summary>Waves of CTAs, the last one perhaps partial.</summary>
    public long Waves => FullWaves + (Remainder == 0 ? 0 : 1);

    /// <summary>CTAs of the busiest multiprocessor in the last, partial wave.</summary>
    public long Last => Ceiling(Remainder, _spec.Multiprocessors);

    /// <summary>CTAs of the busiest multiprocessor.</summary>
    public long Busiest => (FullWaves * Resident) + Last;

    /// <summary>Bytes that all CTAs ask of L2: in a Hopper pair the operand that both need crosses once.</summary>
    public double L2Bytes => (double)Tiles * KSteps * Tile.KBytes * (Multicast ? Math.Min(Tile.M, Tile.N) + (Math.Max(Tile.M, Tile.N) / 2.0) : Tile.M + Tile.N);

    /// <summary>Bytes that all CTAs receive.</summary>
    public double ReceivedBytes => (double)Tiles * KSteps * Tile.KBytes * (Tile.M + Tile.N);

    /// <summary>Multiply-accumulates as executed: whole tiles, whole k steps.</summary>
    public double ExecutedMacs => (double)Tiles * Tile.M * Tile.N * KSteps * Tile.KBytes / _problem.ElementBytes;

    private bool Multicast => Tile.LoaderWarps > 0;

    /// <summary>Null when the kernel does not fit the machine or the split is finer than K.</summary>
    public static GemmPlan? TryCreate(SimtSpec spec, GemmProblem problem, GemmTile tile, int split)
    {
        int resident = Occupancy.Of(spec.Multiprocessor, tile.Threads, tile.Registers, tile.SharedBytes);
        return resident > 0 && split <= Ceiling(problem.K * problem.ElementBytes, tile.KBytes) ? new GemmPlan(spec, problem, tile, split, resident, streamed: false) : null;
    }

    /// <summary>The same kernel with a streamed last wave; null where the tiles fill whole waves or K is split.</summary>
    public GemmPlan? Stream() => Remainder == 0 || Split > 1 ? null : new GemmPlan(_spec, _problem, Tile, Split, Resident, streamed: true);

    /// <summary>Seconds outside the waves: launch, instructions of the first CTAs, and with split K a second kernel that adds the partial sums through L2.</summary>
    public double OverheadSeconds(double hertz) => _spec.Launch.Cost.Seconds + (FittedConstants.ColdStartCycles / hertz) + ReductionSeconds(hertz);

    /// <summary>Seconds of the kernel that adds the partial sums.</summary>
    public double ReductionSeconds(double hertz) => Split == 1 ? 0 : _spec.Launch.Graph.Seconds + (ReductionBytes / (_spec.L2.BytesPerCycle / 2.0) / hertz);

    /// <summary>Seconds of the waves that the simulated time hardly falls below: main memory, or step by step the busiest of a multiprocessor's multipliers, shared-memory port and port to L2; before that the first bytes.</summary>
    public double LeastWaveSeconds(double hertz) => Math.Max(ComputeSeconds(hertz), MemorySeconds);

    /// <summary>What orders plans, of which many have the same bound: compute and main memory joined by a norm, since both being busy for long costs more than one.</summary>
    public double LikelySeconds(double hertz) => OverheadSeconds(hertz) + Join.Norm(ComputeSeconds(hertz), MemorySeconds, LikelyNorm);

    private double MemorySeconds => (ReadBytes + WrittenBytes) / Memory;

    private double ComputeSeconds(double hertz)
    {
        double steps = (Steps * (FullWaves * StepCycles(Resident, Slots, hertz))) + (LastSteps * StepCycles(Last, Remainder, hertz));
        double fills = (FittedConstants.SetupCycles + _spec.Memory.LatencyCycles) * (Resident == 1 ? Waves : 1);
        return (steps + fills) / hertz;
    }

    private double StepCycles(long resident, long running, double hertz)
    {
        if (resident == 0)
        {
            return 0;
        }

        (double port, double l2, _) = ReadRates(running, hertz);
        double filled = (double)(Tile.M + Tile.N) * Tile.KBytes;
        double multiply = (double)Tile.M * Tile.N * Tile.KBytes / _problem.ElementBytes / _problem.Rate.MacsPerCycle;
        double shared = (Tile.OperandBytes(_spec, _problem) + (Tile.LoaderWarps > 0 ? 0 : filled)) / _spec.Multiprocessor.SharedBytesPerCycle;
        return Math.Max(resident * Math.Max(Math.Max(multiply, shared), filled / Math.Min(port, l2)), (double)_spec.Memory.LatencyCycles / (Tile.Stages - 1));
    }

    /// <summary>Cycles of the busiest multiprocessor at a clock, and why.</summary>
    /// <remarks>Where CTAs run out of step and states do not repeat within a budget, the rest is extrapolated from the rate of issue: the full waves and the last one each on its own.</remarks>
    public MultiprocessorRun Simulate(double hertz)
    {
        CtaProgram program = GemmProgram.Of(_spec, _problem, Tile, Steps, Split == 1 ? _problem.OutputBytes : sizeof(float));
        var full = new CtaBatch(FullWaves * Resident, SupplyOf(Slots, hertz));
        var last = new CtaBatch(Last, SupplyOf(Remainder, hertz));
        if (Streamed)
        {
            MultiprocessorRun shared = Run(GemmProgram.OfShare(_spec, _problem, Tile, LastSteps, _problem.OutputBytes, Sharers - 1), last);
            return FullWaves == 0 ? shared : Behind(Run(program, full), shared, 0);
        }

        MultiprocessorRun whole = Run(program, full, last);
        if (whole.IsExact || FullWaves == 0 || Last == 0)
        {
            return whole;
        }

        return Behind(Run(program, full), Run(program, last), whole.Simulated);
    }

    private static MultiprocessorRun Behind(MultiprocessorRun first, MultiprocessorRun tail, long simulated) =>
        first with { Cycles = first.Cycles + tail.Cycles, Simulated = simulated + first.Simulated + tail.Simulated };

    /// <summary>CTAs of the streamed wave that a tile is shared by at most.</summary>
    private int Sharers => (int)Ceiling(KSteps - 1, LastSteps) + 1;

    /// <summary>Shares of the streamed wave that begin within a tile.</summary>
    private long SharedTiles() => Enumerable.Range(1, (int)Remainder - 1).Count(share => (long)share * LastSteps % KSteps != 0);

    private MultiprocessorRun Run(CtaProgram program, params CtaBatch[] queue) =>
        Multiprocessor.Run(new MultiprocessorConfig(_spec.Multiprocessor.SubCores), program, Resident, queue, Budget);

    /// <summary>Bytes per second that tiles get of main memory.</summary>
    private double Memory => _spec.Memory.Sustained * FittedConstants.TiledShare;

    /// <summary>Bytes per cycle for each of the multiprocessors on which <paramref name="ctas"/> run: its port, its share of L2, its share of main memory.</summary>
    /// <remarks>Main memory serves the reads that miss L2 and the writes in proportion, so its rate for reads is less.</remarks>
    public (double Port, double L2, double Memory) ReadRates(long ctas, double hertz)
    {
        double active = Math.Clamp(ctas, 1, _spec.Multiprocessors);
        return (_spec.Multiprocessor.PortBytesPerCycle,
            _spec.L2.BytesPerCycle / active * ReceivedBytes / L2Bytes,
            Memory / hertz / active * ReceivedBytes / (ReadBytes + WrittenBytes));
    }

    private Supply SupplyOf(long ctas, double hertz)
    {
        (double port, double l2, double memory) = ReadRates(ctas, hertz);
        double active = Math.Clamp(ctas, 1, _spec.Multiprocessors);
        return Supply.Of(Math.Min(port, Math.Min(l2, memory)), Math.Min(port, _spec.L2.BytesPerCycle / 2.0 / active), _spec.Memory.LatencyCycles);
    }

    private static long Ceiling(long value, long by) => (value + by - 1) / by;
}
