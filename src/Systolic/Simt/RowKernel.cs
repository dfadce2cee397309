using Systolic.Accounting;
using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>Operators bound by memory or issue: normalization, softmax, elementwise functions, gathers, optimizer steps. One kernel each, simulated warp by warp.</summary>
/// <remarks>An activation that fits L2 is still there from the kernel before and leaves main memory out; weights, caches and optimizer state never are.</remarks>
internal static class RowKernel
{
    /// <summary>Prices one operator.</summary>
    /// <param name="spec">The machine.</param>
    /// <param name="op">The operator.</param>
    /// <param name="stateful">Bytes of weights, caches and optimizer state among its tensors.</param>
    /// <param name="style">Whose kernel runs.</param>
    public static KernelCost Price(SimtSpec spec, RowOperator op, Traffic stateful, RowStyle style = RowStyle.Fused)
    {
        var plan = RowPlan.Of(spec, op, stateful, style);
        double body = plan.BodySeconds(plan.Hertz);
        (CycleComponent cause, double least) = plan.Least(plan.Hertz);

        var account = new KernelAccount();
        account.Spend(CycleComponent.Launch, spec.Launch.Cost.Seconds);
        account.Spend(cause, least);
        account.Stalls(plan.Stack, body - least, CycleComponent.MemoryLatency, CycleComponent.Scalar);
        account.Lanes(spec, plan.Instructions, op.ElementOperations, plan.Special, plan.Hertz);
        account.L2(spec, plan.Read + plan.Written, plan.Hertz);
        account.Dram(spec, plan.DramRead, plan.DramWritten);
        return account.Settle(
            FormattableString.Invariant($"{plan.Grid.Ctas} CTAs x {plan.Grid.Threads} threads, {plan.Resident} per SM, {plan.Waves} waves, {plan.Hertz / 1e9:F2} GHz"), PowerCap.Voltage(spec, plan.Hertz));
    }
}
