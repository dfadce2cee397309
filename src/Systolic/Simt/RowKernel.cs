using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>Operators bound by memory or issue: normalization, softmax, elementwise functions, gathers, optimizer steps. One kernel each.</summary>
/// <remarks>
/// The multiprocessor with the most CTAs is simulated warp by warp: loads in flight, issue, special functions, barriers. Main memory (with read/write turnaround) and L2 (a write counting
/// twice) give it its share. An activation that fits L2 is still there from the kernel before and leaves main memory out; weights, caches and optimizer state never are.
/// </remarks>
internal sealed class RowKernel
{
    private const int SimulatedWaves = 3;
    private const double LargestShare = 0.5;
    private static readonly MultiprocessorConfig Multiprocessors = FittedConstants.Multiprocessor with { SharedQueue = 64, Scheduling = WarpScheduling.GreedyThenOldest };
    private readonly SimtSpec _spec;
    private readonly RowGrid _grid;
    private readonly RowReuse _reuse;
    private readonly CtaProgram _program;
    private readonly double _firstLatency;
    private readonly double _reads;
    private readonly double _writes;
    private readonly double _dramSeconds;

    private RowKernel(SimtSpec spec, RowGrid grid, RowReuse reuse, RowInstructions per, double elements, Traffic all, double rereads, double dramSeconds, double cold)
    {
        (_spec, _grid, _reuse, _reads, _writes, _dramSeconds) = (spec, grid, reuse, all.Read + rereads, all.Written, dramSeconds);
        double memory = spec.Memory.LatencyCycles + spec.Memory.StreamingCycles, l2 = spec.L2.MeanLatencyCycles, perWarp = 1.0 / (grid.Ctas * ((grid.Threads + 31) / 32));
        _firstLatency = l2 + (cold * (memory - l2));
        double againLatency = l2 + (reuse.MissesL2 * (memory - l2));
        _program = RowProgram.Of(spec, grid, new RowWork(
            all.Read * perWarp, all.Written * perWarp, elements * (per.Total - per.Special) / 32 * perWarp, elements * per.Special / 32 * perWarp, reuse.MissesL1, againLatency - _firstLatency));
    }

    /// <summary>Prices one operator.</summary>
    /// <param name="spec">The machine.</param>
    /// <param name="op">The operator.</param>
    /// <param name="stateful">Bytes of weights, caches and optimizer state among its tensors.</param>
    /// <param name="style">Whose kernel runs.</param>
    public static KernelCost Price(SimtSpec spec, RowOperator op, Traffic stateful, RowStyle style = RowStyle.Fused)
    {
        Traffic all = Traffic.Of(op);
        RowGrid grid = RowGrid.Of(op, op.Type.ByteSize(), style);
        RowInstructions per = RowInstructions.Of(op, style);
        double elements = RowGrid.Elements(op);
        double cold = 1 - spec.L2.Resident(all.Read + all.Written);
        RowReuse reuse = RowReuse.Of(spec, grid, (double)grid.CtaRows * op.Columns * op.Type.ByteSize());
        double rereads = grid.Rereads * (double)all.Read * reuse.MissesL1;
        double dramRead = stateful.Read + (cold * (all.Read - stateful.Read)) + (rereads * reuse.MissesL2);
        double dramWritten = stateful.Written + (cold * (all.Written - stateful.Written));
        double dramSeconds = spec.Memory.Seconds(dramRead, dramWritten);

        var kernel = new RowKernel(spec, grid, reuse, per, elements, all, rereads, dramSeconds, cold);
        double laneFlops = FittedConstants.Fp32Energy * elements * per.Total;
        (SimulatedTime time, double hertz) = SimulatedTime.Of(spec, kernel.Simulate, spec.Launch.Cost.Seconds, dramSeconds, dramRead + dramWritten, laneFlops);

        var account = new KernelAccount();
        account.Spend(CycleComponent.Launch, spec.Launch.Cost.Seconds);
        account.Spend(kernel.Dominant(elements, per, hertz, time.BodySeconds(hertz)), time.BodySeconds(hertz));
        account.Lanes(spec, elements * per.Total, op.ElementOperations, elements * per.Special, hertz);
        account.L2(spec, all.Read + rereads + all.Written, hertz);
        account.Dram(spec, dramRead, dramWritten);
        long slots = reuse.Resident * (long)spec.Multiprocessors;
        return account.Settle(FormattableString.Invariant($"{grid.Ctas} CTAs x {grid.Threads} threads, {reuse.Resident} per SM, {(grid.Ctas + slots - 1) / slots} waves, {hertz / 1e9:F2} GHz"), PowerCap.Voltage(spec, hertz));
    }

    /// <summary>Cycles of L2 for all bytes, a write as two reads.</summary>
    private double L2Cycles => (_reads + (2 * _writes)) / _spec.L2.BytesPerCycle;

    /// <summary>Cycles of the multiprocessor with the most CTAs: a few waves, and one more for each that follows.</summary>
    private double Simulate(double hertz)
    {
        long most = (_grid.Ctas + _spec.Multiprocessors - 1) / _spec.Multiprocessors;
        double least = Math.Max(_dramSeconds * hertz, L2Cycles) * _grid.Ctas / most, port = _spec.Multiprocessor.PortBytesPerCycle;
        var supply = Supply.Of(Math.Min(port, _reads / least), _writes == 0 ? port : Math.Min(port, _writes / least), _firstLatency);
        long waves = Math.Max(0, (most / _reuse.Resident) - SimulatedWaves), ctas = most - (waves * _reuse.Resident);
        double cycles = Run(ctas);
        return waves == 0 ? cycles : cycles + (waves * (cycles - Run(ctas - _reuse.Resident)));

        double Run(long count) => Multiprocessor.Run(Multiprocessors, _program, _reuse.Resident, [new CtaBatch(count, supply)]).Cycles;
    }

    /// <summary>What holds the kernel back: the longest of its parts, or latency where none takes half of the time.</summary>
    private CycleComponent Dominant(double elements, RowInstructions per, double hertz, double seconds)
    {
        MultiprocessorSpec sm = _spec.Multiprocessor;
        double rate = hertz * Math.Min(_spec.Multiprocessors, _grid.Ctas);
        double l2 = L2Cycles / hertz, issue = elements * per.Total / 32 / sm.IssueRate / rate, special = elements * per.Special / sm.SpecialFunctionLanes / rate;
        double largest = Math.Max(Math.Max(_dramSeconds, l2), Math.Max(issue, special));
        return largest < LargestShare * seconds ? CycleComponent.MemoryLatency
            : largest == _dramSeconds ? CycleComponent.MemoryBandwidth
            : largest == l2 ? CycleComponent.CacheBandwidth
            : largest == issue ? CycleComponent.Vector : CycleComponent.Scalar;
    }
}
