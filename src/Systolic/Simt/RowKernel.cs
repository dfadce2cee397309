using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>Operators bound by memory or issue: normalization, softmax, elementwise functions, gathers, optimizer steps. One kernel each.</summary>
/// <remarks>
/// Three bounds: bandwidth (main memory with read/write turnaround, L2 with a write counting twice), latency (waves of CTAs, each a chain of load trips and
/// barriers) and issue. They join by a p-norm: p 2 for kernels that stop at barriers, 3.5 for free-running ones (inferred). An activation that fits L2 is
/// still there from the kernel before and leaves main memory out; weights, caches and optimizer state never are.
/// </remarks>
internal static class RowKernel
{
    /// <summary>From the launch of a CTA to its first load.</summary>
    public const double CtaStartCycles = 110;

    /// <summary>Norm by which the bounds of a kernel without barriers join.</summary>
    public const double FreeJoin = 3.5;
    private const double BarrierJoin = 2;
    private const double ReductionCycles = 220;

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

        var timing = new Timing(spec, grid, per, elements, all.Read + rereads + (2 * all.Written), dramRead, dramWritten, reuse, cold);
        double laneFlops = FittedConstants.Fp32Energy * elements * per.Total;
        double hertz = PowerCap.Clock(spec, timing, dramRead + dramWritten, laneFlops);

        var account = new KernelAccount();
        account.Spend(CycleComponent.Launch, spec.Launch.Cost.Seconds);
        account.Spend(timing.Dominant(hertz), timing.BodySeconds(hertz));
        account.Lanes(spec, elements * per.Total, op.ElementOperations, elements * per.Special, hertz);
        account.L2(spec, all.Read + rereads + all.Written, hertz);
        account.Dram(spec, dramRead, dramWritten);
        return account.Settle(FormattableString.Invariant($"{grid.Ctas} CTAs x {grid.Threads} threads, {timing.Resident} per SM, {timing.Waves} waves, {hertz / 1e9:F2} GHz"), PowerCap.Voltage(spec, hertz));
    }

    /// <summary>The three bounds at any clock.</summary>
    private readonly struct Timing : IKernelTime
    {
        private readonly double _launchSeconds;
        private readonly double _dramSeconds;
        private readonly double _l2Cycles;
        private readonly double _latencyCycles;
        private readonly double _issueCycles;
        private readonly double _join;
        private readonly CycleComponent _issueBound;

        public Timing(SimtSpec spec, RowGrid grid, RowInstructions per, double elements, double l2Bytes, double dramRead, double dramWritten, RowReuse reuse, double cold)
        {
            MultiprocessorSpec sm = spec.Multiprocessor;
            Resident = reuse.Resident;
            Waves = (grid.Ctas + (Resident * (long)spec.Multiprocessors) - 1) / (Resident * (long)spec.Multiprocessors);
            _dramSeconds = spec.Memory.Seconds(dramRead, dramWritten);
            _l2Cycles = l2Bytes / spec.L2.BytesPerCycle;
            double warpInstructions = elements * per.Total / 32;
            double ownIssue = grid.Reductions > 0 ? warpInstructions / grid.Ctas / sm.IssueRate : 0;
            double fromMemory = spec.Memory.LatencyCycles + spec.Memory.StreamingCycles;
            double first = (cold * fromMemory) + ((1 - cold) * spec.L2.MeanLatencyCycles);
            double again = ((1 - reuse.MissesL1) * sm.L1LatencyCycles) + (reuse.MissesL1 * (((1 - reuse.MissesL2) * spec.L2.MeanLatencyCycles) + (reuse.MissesL2 * fromMemory)));
            double cta = CtaStartCycles + (grid.Trips * (first + (grid.Rereads * again))) + (grid.Reductions * ReductionCycles) + ownIssue;
            _latencyCycles = Waves * cta;
            long busy = Math.Min(spec.Multiprocessors, grid.Ctas);
            double issue = warpInstructions / sm.IssueRate / busy;
            double special = elements * per.Special / sm.SpecialFunctionLanes / busy;
            _issueCycles = Math.Max(issue, special);
            _issueBound = special > issue ? CycleComponent.Scalar : CycleComponent.Vector;
            _join = grid.Reductions > 0 ? BarrierJoin : FreeJoin;
            _launchSeconds = spec.Launch.Cost.Seconds;
        }

        public int Resident { get; }

        public long Waves { get; }

        public double SecondsAt(double hertz) => _launchSeconds + BodySeconds(hertz);

        public double BodySeconds(double hertz)
        {
            double bandwidth = Math.Max(_dramSeconds, _l2Cycles / hertz);
            return Join.Norm(Join.Norm(bandwidth, _latencyCycles / hertz, _join), _issueCycles / hertz, _join);
        }

        public CycleComponent Dominant(double hertz)
        {
            double l2 = _l2Cycles / hertz;
            double latency = _latencyCycles / hertz;
            double issue = _issueCycles / hertz;
            double largest = Math.Max(Math.Max(_dramSeconds, l2), Math.Max(latency, issue));
            return largest == _dramSeconds ? CycleComponent.MemoryBandwidth
                : largest == l2 ? CycleComponent.CacheBandwidth
                : largest == latency ? CycleComponent.MemoryLatency
                : _issueBound;
        }
    }
}
