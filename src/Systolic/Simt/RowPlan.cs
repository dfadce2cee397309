using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>One row kernel on one machine: its bytes and instructions, and how long its CTAs take at any clock, simulated warp by warp on the busiest multiprocessor.</summary>
/// <remarks>
/// The multiprocessor receives at its share of what main memory (with the losses of turning around) and L2 (a write counting twice) give all, at the loaded latency. A few waves of CTAs are
/// simulated; each further one takes as long as the last of these on average.
/// </remarks>
internal readonly record struct RowPlan : IKernelTime
{
    private const int SimulatedWaves = 4;
    private const int FirstWaves = 2; // without a rhythm yet
    private const int Budget = 40_000; // issues
    private readonly SimtSpec _spec;
    private readonly CtaProgram _program;
    private readonly double _latency;

    private RowPlan(SimtSpec spec, RowOperator op, Traffic stateful, RowStyle style)
    {
        _spec = spec;
        var all = Traffic.Of(op);
        Grid = RowGrid.Of(op, op.Type.ByteSize(), style);
        var per = RowInstructions.Of(op, style);
        double elements = RowGrid.Elements(op), cold = 1 - spec.L2.Resident(all.Read + all.Written);
        var reuse = RowReuse.Of(spec, Grid, (double)Grid.CtaRows * op.Columns * op.Type.ByteSize());
        double rereads = Grid.Rereads * (double)all.Read * reuse.MissesL1;
        (Instructions, Special, Resident) = (elements * per.Total, elements * per.Special, reuse.Resident);
        (Read, Written) = (all.Read + rereads, all.Written);
        DramRead = stateful.Read + (cold * (all.Read - stateful.Read)) + (rereads * reuse.MissesL2);
        DramWritten = stateful.Written + (cold * (all.Written - stateful.Written));

        _latency = Latency(cold);
        double warps = (double)Grid.Ctas * Grid.Warps;
        _program = RowProgram.Of(spec, Grid, new RowWork(
            all.Read / warps, all.Written / warps, (Instructions - Special) / 32 / warps, Special / 32 / warps, reuse.MissesL1, Latency(reuse.MissesL2) - _latency));
    }

    public RowGrid Grid { get; }

    /// <summary>CTAs at a time on a multiprocessor.</summary>
    public int Resident { get; }

    /// <summary>Lane instructions, special functions among them.</summary>
    public double Instructions { get; }

    /// <summary>Special functions.</summary>
    public double Special { get; }

    /// <summary>Bytes that multiprocessors ask of L2.</summary>
    public double Read { get; }

    /// <summary>Bytes that they write to it.</summary>
    public double Written { get; }

    /// <summary>Bytes read from main memory.</summary>
    public double DramRead { get; }

    /// <summary>Bytes written to it.</summary>
    public double DramWritten { get; }

    /// <summary>The clock that power allows.</summary>
    public double Hertz { get; private init; }

    /// <summary>What the schedulers of the busiest multiprocessor waited for.</summary>
    public long[] Stack { get; private init; } = [];

    /// <summary>Waves of CTAs, the last one perhaps partial.</summary>
    public long Waves => (Busiest + Resident - 1) / Resident;

    /// <summary>Simulated seconds of the CTAs over the least.</summary>
    private double Ratio { get; init; }

    /// <summary>CTAs of the busiest multiprocessor.</summary>
    private long Busiest => (Grid.Ctas + _spec.Multiprocessors - 1) / _spec.Multiprocessors;

    private double MemorySeconds => _spec.Memory.Seconds(DramRead, DramWritten);

    private double CacheCycles => (Read + (2 * Written)) / _spec.L2.BytesPerCycle;

    /// <summary>Simulates the kernel at the highest clock and, where power does not allow it, at the clock that it allows.</summary>
    /// <param name="spec">The machine.</param>
    /// <param name="op">The operator.</param>
    /// <param name="stateful">Bytes of weights, caches and optimizer state among its tensors.</param>
    /// <param name="style">Whose kernel runs.</param>
    public static RowPlan Of(SimtSpec spec, RowOperator op, Traffic stateful, RowStyle style)
    {
        double maximum = spec.MaximumClock.Hertz;
        RowPlan fastest = new RowPlan(spec, op, stateful, style).At(maximum);
        double hertz = fastest.Cap();
        if (hertz == maximum)
        {
            return fastest;
        }

        RowPlan capped = fastest.At(hertz);
        return capped with { Hertz = capped.Cap() };
    }

    /// <inheritdoc/>
    public double SecondsAt(double hertz) => _spec.Launch.Cost.Seconds + BodySeconds(hertz);

    /// <summary>Seconds of the CTAs: at clocks near one at which they were simulated, as many times the least as there.</summary>
    public double BodySeconds(double hertz) => Ratio * Least(hertz).Seconds;

    /// <summary>What no kernel of these bytes and instructions can beat, and the cause that is largest.</summary>
    public (CycleComponent Cause, double Seconds) Least(double hertz)
    {
        double rate = hertz * Math.Min(_spec.Multiprocessors, Grid.Ctas);
        ReadOnlySpan<(CycleComponent Cause, double Seconds)> bounds =
        [
            (CycleComponent.MemoryBandwidth, MemorySeconds),
            (CycleComponent.CacheBandwidth, CacheCycles / hertz),
            (CycleComponent.Vector, Instructions / 32 / _spec.Multiprocessor.IssueRate / rate),
            (CycleComponent.Scalar, Special / _spec.Multiprocessor.SpecialFunctionLanes / rate),
            (CycleComponent.MemoryLatency, Waves * (RowProgram.StartCycles + _latency) / hertz),
        ];
        (CycleComponent Cause, double Seconds) largest = bounds[0];
        foreach ((CycleComponent Cause, double Seconds) bound in bounds)
        {
            largest = bound.Seconds > largest.Seconds ? bound : largest;
        }

        return largest;
    }

    private double Cap() => PowerCap.Clock(_spec, this, DramRead + DramWritten, FittedConstants.Fp32Energy * Instructions);

    /// <summary>Cycles of a load of which a share goes to main memory.</summary>
    private double Latency(double misses)
    {
        double memory = _spec.Memory.LatencyCycles + _spec.Memory.StreamingCycles, l2 = _spec.L2.MeanLatencyCycles;
        return l2 + (misses * (memory - l2));
    }

    private RowPlan At(double hertz)
    {
        double all = Math.Max(MemorySeconds * hertz, CacheCycles) * Grid.Ctas / Busiest, port = _spec.Multiprocessor.PortBytesPerCycle;
        var supply = Supply.Of(Math.Min(port, Read / all), Written == 0 ? port : Math.Min(port, Written / all), _latency);
        long further = Math.Max(0, (Busiest / Resident) - SimulatedWaves), ctas = Busiest - (further * Resident);
        MultiprocessorRun run = Run(ctas, supply);
        double cycles = run.Cycles + (further == 0 ? 0 : further * (double)(run.Cycles - Run(ctas - ((SimulatedWaves - FirstWaves) * Resident), supply).Cycles) / (SimulatedWaves - FirstWaves));
        return this with { Hertz = hertz, Ratio = Math.Max(1, cycles / hertz / Least(hertz).Seconds), Stack = run.Stack };
    }

    private MultiprocessorRun Run(long ctas, Supply supply) => Multiprocessor.Run(WarpCode.Config(_spec), _program, Resident, [new CtaBatch(ctas, supply)], Budget);
}
