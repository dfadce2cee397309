using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Simt;

/// <summary>Collects seconds by cause and by engine while an operator is priced, then settles them in whole femtoseconds.</summary>
internal sealed class KernelAccount
{
    /// <summary>Bytes that an opened row gives on average: 909 pJ of an activate over 1.21 pJ/bit of GPU workloads (O'Connor et al. MICRO 2017).</summary>
    private const double BytesPerActivate = 94;

    private static readonly int Components = Enum.GetValues<CycleComponent>().Length;
    private readonly double[] _causes = new double[Components];
    private readonly double[] _busy = new double[SimtEngines.All.Length];

    /// <summary>Events and bytes.</summary>
    public ActivityCounts Counts { get; } = new();

    /// <summary>Adds time to the operator, and to one cause of its stack.</summary>
    public void Spend(CycleComponent cause, double seconds) => _causes[(int)cause] += Math.Max(0, seconds);

    /// <summary>Adds busy time of one engine, as if all its units worked at their full rate.</summary>
    public void Occupy(int engine, double seconds) => _busy[engine] += seconds;

    /// <summary>Counts main-memory traffic and the interface's busy time.</summary>
    public void Dram(SimtSpec spec, double read, double written)
    {
        Counts.Add(ActivityKind.DramReadByte, (long)Math.Ceiling(read));
        Counts.Add(ActivityKind.DramWriteByte, (long)Math.Ceiling(written));
        Counts.Add(ActivityKind.DramActivate, (long)Math.Ceiling((read + written) / BytesPerActivate));
        Occupy(SimtEngines.Dram, (read + written) / spec.Memory.Peak.BytesPerSecond);
    }

    /// <summary>Counts traffic between L2 and the multiprocessors.</summary>
    public void L2(SimtSpec spec, double bytes, double hertz)
    {
        Counts.Add(ActivityKind.L2Byte, (long)Math.Ceiling(bytes));
        Occupy(SimtEngines.L2, bytes / (spec.L2.BytesPerCycle * hertz));
    }

    /// <summary>Counts multiply-accumulates as the unit executes them; <paramref name="padding"/> of them fill up tiles.</summary>
    public void Multiply(SimtSpec spec, MatrixRate rate, long macs, long padding, long macsPerWarpInstruction, double hertz)
    {
        Counts.Add(MacKinds.Of(rate.Executed), macs - padding);
        Counts.Add(ActivityKind.MacPadding, padding);
        if (rate.OnTensorCores)
        {
            Counts.Add(ActivityKind.TensorCoreControl, macs);
            Counts.Add(ActivityKind.SimtWarpIssue, (macs + macsPerWarpInstruction - 1) / macsPerWarpInstruction);
        }
        else
        {
            Counts.Add(ActivityKind.SimtLaneOverhead, macs);
        }

        Occupy(rate.OnTensorCores ? SimtEngines.TensorCore : SimtEngines.CudaCore, macs / ((double)spec.Multiprocessors * rate.MacsPerCycle * hertz));
    }

    /// <summary>Counts lane instructions outside matrix products: all of them pass through issue, the arithmetic ones also compute.</summary>
    public void Lanes(SimtSpec spec, double instructions, double arithmetic, double special, double hertz)
    {
        const int warp = 32;
        MultiprocessorSpec sm = spec.Multiprocessor;
        Counts.Add(ActivityKind.SimtLaneOverhead, (long)instructions);
        Counts.Add(ActivityKind.VectorOp, (long)arithmetic);
        Counts.Add(ActivityKind.SpecialFunctionOp, (long)special);
        Occupy(SimtEngines.CudaCore, instructions / ((double)spec.Multiprocessors * sm.SubCores * warp * hertz));
        Occupy(SimtEngines.SpecialFunction, special / ((double)spec.Multiprocessors * sm.SpecialFunctionLanes * hertz));
    }

    /// <summary>Time in which no useful product was made, in proportion to what schedulers wait for.</summary>
    /// <param name="stack">Scheduler cycles by <see cref="WarpStall"/>.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="bytes">What loads wait for.</param>
    /// <param name="lanes">What CUDA cores and special functions work at; null where their cycles are work, like those of tensor cores.</param>
    public void Stalls(ReadOnlySpan<long> stack, double seconds, CycleComponent bytes, CycleComponent? lanes)
    {
        double Weight(WarpStall stall, long cycles) => IsWork(stall) || (stall == WarpStall.Arithmetic && lanes is null) ? 1e-3 * (cycles + 1) : cycles;

        double all = 0;
        for (int i = 0; i < stack.Length; i++)
        {
            all += Weight((WarpStall)i, stack[i]);
        }

        for (int i = 0; i < stack.Length; i++)
        {
            CycleComponent cause = (WarpStall)i switch
            {
                WarpStall.Memory => bytes,
                WarpStall.Arithmetic => lanes ?? CycleComponent.FillAndDrain,
                WarpStall.Shared => CycleComponent.ScratchpadConflict,
                _ => CycleComponent.FillAndDrain,
            };
            Spend(cause, seconds * Weight((WarpStall)i, stack[i]) / all);
        }
    }

    /// <summary>Cycles in which a multiplier was busy are in the useful part or in its padding; they take no part in the rest unless there is nothing else.</summary>
    private static bool IsWork(WarpStall stall) => stall is WarpStall.Issue or WarpStall.Tensor;

    /// <summary>Rounds the total up and every part down; the remainder, a few femtoseconds, goes to the largest part.</summary>
    /// <param name="mapping">Kernel, tile, split and waves.</param>
    /// <param name="voltage">Energy of an event on chip over that at the voltage of the energy rows.</param>
    public KernelCost Settle(string mapping, double voltage)
    {
        var stack = new CycleStack();
        double seconds = 0;
        int largest = 0;
        for (int i = 0; i < _causes.Length; i++)
        {
            seconds += _causes[i];
            largest = _causes[i] > _causes[largest] ? i : largest;
            stack.Add((CycleComponent)i, new SimTime(checked((long)(_causes[i] * 1e15))));
        }

        var total = new SimTime(Math.Max(checked((long)Math.Ceiling(seconds * 1e15)), stack.Total.Value));
        stack.Add((CycleComponent)largest, total - stack.Total);
        return new KernelCost(total, stack, Counts, [.. _busy.Select(busy => SimTime.Min(total, SimTime.FromSeconds(busy)))], mapping, voltage);
    }
}
