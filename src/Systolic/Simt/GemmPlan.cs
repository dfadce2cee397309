using Systolic.Accounting;

namespace Systolic.Simt;

/// <summary>One kernel and one split of K for one product: how long it takes at any clock, and why.</summary>
internal readonly struct GemmPlan : IKernelTime
{
    private readonly double _launchSeconds;
    private readonly double _reductionCycles;
    private readonly Wave _first;
    private readonly Wave _next;
    private readonly Wave _last;
    private readonly long _nextWaves;

    private GemmPlan(SimtSpec spec, GemmProblem problem, GemmTile tile, int split, int resident)
    {
        Tile = tile;
        Split = split;
        Resident = resident;
        double kSteps = Math.Ceiling((double)problem.K * problem.ElementBytes / tile.KBytes);
        Tiles = (problem.M + tile.M - 1) / tile.M * ((problem.N + tile.N - 1) / tile.N) * problem.Batch;
        KSteps = (long)kSteps;
        Steps = Math.Ceiling(kSteps / split);
        long slots = (long)spec.Multiprocessors * resident;
        long ctas = Tiles * split;
        FullWaves = ctas / slots;
        Remainder = ctas % slots;
        ReadBytes = GemmTraffic.Reads(spec, problem, tile, (double)slots / split);
        WrittenBytes = problem.ResultBytes * problem.Batch;
        ReductionBytes = split == 1 ? 0 : 2.0 * split * problem.M * problem.N * problem.Batch * sizeof(float);

        double overhead = FittedConstants.FillCycles + (spec.Memory.LatencyCycles * FittedConstants.LoadedLatency)
            + ((double)tile.M * tile.N * problem.OutputBytes / FittedConstants.EpilogueBytesPerCycle);
        Full = GemmStep.Of(spec, problem, tile, resident, slots);
        RemainderPerMultiprocessor = (Remainder + spec.Multiprocessors - 1) / spec.Multiprocessors;
        Partial = Remainder == 0 ? default : GemmStep.Of(spec, problem, tile, RemainderPerMultiprocessor, Remainder);
        double dramPerCta = (ReadBytes + WrittenBytes) / spec.Memory.Sustained / ctas;
        var full = new Wave((Steps * Full.Cycles) + (overhead / resident), dramPerCta * slots);
        double late = FullWaves > 0 ? overhead / resident : overhead;
        _first = FullWaves > 0 ? new Wave((Steps * Full.Cycles) + overhead, dramPerCta * slots) : default;
        _next = full;
        _nextWaves = Math.Max(0, FullWaves - 1);
        _last = Remainder == 0 ? default : new Wave((Steps * Partial.Cycles) + late, dramPerCta * Remainder);
        _launchSeconds = spec.Launch.Cost.Seconds + (split == 1 ? 0 : FittedConstants.ReductionSeconds);
        _reductionCycles = ReductionBytes / (spec.L2.BytesPerCycle / 2.0);
    }

    public GemmTile Tile { get; }

    public int Split { get; }

    public int Resident { get; }

    public long Tiles { get; }

    public long KSteps { get; }

    public double Steps { get; }

    public long FullWaves { get; }

    public long Remainder { get; }

    public long RemainderPerMultiprocessor { get; }

    public GemmStep Full { get; }

    public GemmStep Partial { get; }

    public double ReadBytes { get; }

    public double WrittenBytes { get; }

    public double ReductionBytes { get; }

    /// <summary>Multiply-accumulates as executed: whole tiles, whole k steps.</summary>
    public double ExecutedMacs(GemmProblem problem) => (double)Tiles * Tile.M * Tile.N * KSteps * Tile.KBytes / problem.ElementBytes;

    /// <summary>Waves of CTAs, the last one perhaps partial.</summary>
    public long Waves => FullWaves + (Remainder == 0 ? 0 : 1);

    /// <summary>False when the kernel does not fit the machine or the split is finer than K.</summary>
    public static bool TryCreate(SimtSpec spec, GemmProblem problem, GemmTile tile, int split, out GemmPlan plan)
    {
        int resident = Occupancy.Of(spec.Multiprocessor, tile.Threads, tile.Registers, tile.SharedBytes);
        bool possible = resident > 0 && split <= Math.Ceiling((double)problem.K * problem.ElementBytes / tile.KBytes);
        plan = possible ? new GemmPlan(spec, problem, tile, split, resident) : default;
        return possible;
    }

    /// <inheritdoc/>
    public double SecondsAt(double hertz) => _launchSeconds + (_reductionCycles / hertz) + WaveSeconds(hertz);

    /// <summary>Seconds of the waves alone.</summary>
    public double WaveSeconds(double hertz) => _first.Seconds(hertz) + (_nextWaves * _next.Seconds(hertz)) + _last.Seconds(hertz);

    /// <summary>Cycles of the waves if memory were infinitely fast.</summary>
    public double ComputeCycles => _first.Cycles + (_nextWaves * _next.Cycles) + _last.Cycles;

    /// <summary>Seconds of the waves if compute were infinitely fast.</summary>
    public double MemorySeconds => _first.MemorySeconds + (_nextWaves * _next.MemorySeconds) + _last.MemorySeconds;

    /// <summary>Main-loop cycles of all waves.</summary>
    public double LoopCycles => Steps * ((FullWaves * Full.Cycles) + Partial.Cycles);

    /// <summary>Main-loop cycles if the last wave were as evenly filled as its work allows.</summary>
    public double BalancedCycles(int multiprocessors) => Remainder == 0
        ? LoopCycles
        : Steps * ((FullWaves * Full.Cycles) + (Partial.Cycles * Remainder / ((double)RemainderPerMultiprocessor * multiprocessors)));

    /// <summary>Split-K reduction: fixed seconds and cycles through L2.</summary>
    public double ReductionSeconds(double hertz) => (Split == 1 ? 0 : FittedConstants.ReductionSeconds) + (_reductionCycles / hertz);

    /// <summary>The resource that bounds most steps.</summary>
    public CycleComponent Bound => FullWaves > 0 ? Full.Bound : Partial.Bound;

    /// <summary>Compute and memory of one wave, overlapped except around its ends.</summary>
    private readonly record struct Wave(double Cycles, double MemorySeconds)
    {
        public double Seconds(double hertz) => Cycles == 0 ? 0 : Join.Norm(Cycles / hertz, MemorySeconds, FittedConstants.WaveJoin);
    }
}
