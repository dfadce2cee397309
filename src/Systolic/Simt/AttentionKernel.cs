using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>Flash attention, forward and backward: FlashAttention-2 where tensor cores read registers, FlashAttention-3 where they read shared memory.</summary>
/// <remarks>
/// Tensor cores, softmax units and the shared port are stations of a closed queue in which a counted number of contexts circulate. Few queries take the
/// decode form: query heads that share keys are packed into one block and the keys are split over CTAs, a second kernel combining the parts.
/// Backward adds a row-sum kernel before and a conversion of dQ after the main kernel.
/// </remarks>
internal static class AttentionKernel
{
    /// <summary>What an exponential takes in energy beyond another lane instruction, in such instructions: it holds its quarter-width unit four times as long.</summary>
    private const double SpecialFunctionEnergy = 3;

    private static readonly ImmutableArray<int> Splits = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128];

    /// <summary>Prices one attention operator.</summary>
    /// <param name="spec">The machine.</param>
    /// <param name="op">The operator.</param>
    /// <param name="contexts">Contexts in flight on a multiprocessor, of a kernel that keeps another number than the flash kernels.</param>
    public static KernelCost Price(SimtSpec spec, Attention op, int? contexts = null)
    {
        MatrixRate rate = spec.Rate(op.Type);
        Traffic traffic = Traffic.Of(op);
        return op.Backward ? Backward(spec, op, rate, traffic, contexts) : Forward(spec, op, rate, traffic, contexts);
    }

    private static KernelCost Forward(SimtSpec spec, Attention op, MatrixRate rate, Traffic traffic, int? contexts)
    {
        bool decode = AttentionTile.IsDecode(op.QueryTokens, op.QueryHeads / Math.Max(1, op.KvHeads));
        bool warpgroups = AttentionCost.Warpgroups(spec, rate);
        AttentionTile tile = decode ? AttentionTile.Decode(warpgroups) : AttentionTile.Forward(warpgroups, op.HeadDim, op.Causal);
        tile = tile with { Contexts = contexts ?? tile.Contexts };
        AttentionCost cost = AttentionCost.Forward(spec, rate, op, tile);
        double best = double.PositiveInfinity;
        AttentionPlan chosen = default;
        double hertz = 0;
        foreach (int split in Splits)
        {
            if (split > 1 && split > op.KvTokens / tile.Keys)
            {
                break;
            }

            AttentionGrid grid = decode ? AttentionGrid.Decode(op, tile, split) : AttentionGrid.Forward(op, tile, split);
            double combine = split == 1 ? 0 : spec.Launch.Cost.Seconds + (CombineBytes(op, split) / (spec.L2.BytesPerCycle / 2.0 * spec.BoostClock.Hertz));
            double edge = (2.0 * tile.Queries + tile.Keys) * op.HeadDim * op.Type.ByteSize();
            AttentionPlan plan = AttentionPlan.Of(spec, tile, grid, decode ? cost : cost.Masked(spec, op, tile, grid), split, edge, traffic.Total, spec.Launch.Cost.Seconds + combine);
            double clock = PowerCap.Clock(spec, plan, traffic.Total, Fp16Flops(plan, rate, op.HeadDim + op.ValueDim, ForwardInstructions(op, tile)));
            if (plan.SecondsAt(clock) < best)
            {
                (best, chosen, hertz) = (plan.SecondsAt(clock), plan, clock);
            }

            if (grid.Ctas >= spec.Multiprocessors * tile.Resident)
            {
                break;
            }
        }

        var account = new KernelAccount();
        double l2 = (chosen.Elements * (op.HeadDim + op.ValueDim) * op.Type.ByteSize() / tile.Queries) + traffic.Total + (chosen.Split == 1 ? 0 : CombineBytes(op, chosen.Split));
        Settle(account, spec, op, rate, chosen, hertz, op.HeadDim + op.ValueDim, ForwardInstructions(op, tile), l2);
        account.Dram(spec, traffic.Read, traffic.Written);
        return account.Settle(Describe(decode ? "decode" : "forward", chosen, hertz), PowerCap.Voltage(spec, hertz));
    }

    private static KernelCost Backward(SimtSpec spec, Attention op, MatrixRate rate, Traffic traffic, int? contexts)
    {
        AttentionTile tile = AttentionTile.Backward(AttentionCost.Warpgroups(spec, rate), op.HeadDim, op.Causal);
        tile = tile with { Contexts = contexts ?? tile.Contexts };
        AttentionGrid grid = AttentionGrid.Backward(op, tile);
        AttentionCost cost = AttentionCost.Backward(spec, rate, op, tile);
        double queryElements = (double)op.Batch * op.QueryTokens * op.QueryHeads * op.ValueDim;
        double sideRead = queryElements * ((2 * op.Type.ByteSize()) + sizeof(float));
        double sideWritten = queryElements * (op.Type.ByteSize() + sizeof(float));
        double sides = (2 * spec.Launch.Cost.Seconds) + ((sideRead + sideWritten) / spec.Memory.Sustained);
        double edge = 4.0 * tile.Keys * op.HeadDim * op.Type.ByteSize();
        AttentionPlan plan = AttentionPlan.Of(spec, tile, grid, cost.Masked(spec, op, tile, grid), 1, edge, traffic.Total, spec.Launch.Cost.Seconds + sides);
        double instructions = 6 + (op.SoftCap is null ? 0 : 4);
        long products = (3 * op.HeadDim) + (2 * op.ValueDim);
        double hertz = PowerCap.Clock(spec, plan, traffic.Total + sideRead + sideWritten, Fp16Flops(plan, rate, products, instructions));

        var account = new KernelAccount();
        double l2 = (plan.Elements * op.HeadDim * ((2.0 * op.Type.ByteSize()) + sizeof(float)) / tile.Keys) + traffic.Total + sideRead + sideWritten;
        Settle(account, spec, op, rate, plan, hertz, products, instructions, l2);
        account.Dram(spec, traffic.Read + sideRead, traffic.Written + sideWritten);
        return account.Settle(Describe("backward, row-sum and dQ kernels", plan, hertz), PowerCap.Voltage(spec, hertz));
    }

    private static void Settle(KernelAccount account, SimtSpec spec, Attention op, MatrixRate rate, in AttentionPlan plan, double hertz, long macsPerElement, double instructions, double l2Bytes)
    {
        var time = new JoinedTime(plan.BodySeconds(hertz), plan.Cycles / hertz, plan.MemorySeconds);
        double scale = time.ComputeScale / hertz;
        double perCycle = (double)spec.Multiprocessors * rate.MacsPerCycle;
        double executed = plan.Elements * macsPerElement;
        double useful = Math.Min(op.Macs.Value, executed) / perCycle;
        double stations = plan.Elements * plan.Cost.Interval(plan.Tile.Contexts) / spec.Multiprocessors;
        account.Spend(CycleComponent.Launch, plan.FixedSeconds);
        account.Spend(CycleComponent.MemoryBandwidth, time.MemoryPart);
        account.Spend(rate.OnTensorCores ? CycleComponent.MatrixWork : CycleComponent.Vector, useful * scale);
        account.Spend(CycleComponent.TailWave, (plan.Cycles - plan.BalancedCycles) * scale);
        account.Spend(plan.Cost.Bound, (stations - (executed / perCycle)) * scale);
        account.Spend(CycleComponent.FillAndDrain, (plan.BalancedCycles - stations + (executed / perCycle) - useful) * scale);

        const long warpInstructionMacs = 2048;
        account.Multiply(spec, rate, checked((long)executed), 0, spec.TensorCores.Instruction == MatrixInstruction.Wgmma ? 16 * warpInstructionMacs : warpInstructionMacs, hertz);
        account.Lanes(spec, plan.Elements * instructions, op.ElementOperations, plan.Elements, hertz);
        account.Counts.Add(ActivityKind.SharedMemoryByte, checked((long)(plan.Elements * SharedBytes(spec, rate, op, plan))));
        account.L2(spec, l2Bytes, hertz);
    }

    private static double SharedBytes(SimtSpec spec, MatrixRate rate, Attention op, in AttentionPlan plan) => AttentionCost.Warpgroups(spec, rate) && !op.Backward
        ? 2.0 * op.HeadDim * op.Type.ByteSize() / 64
        : plan.Cost.Shared * spec.Multiprocessor.SharedBytesPerCycle;

    private static double ForwardInstructions(Attention op, AttentionTile tile) => 4.5 + ((double)op.ValueDim / tile.Keys) + (op.SoftCap is null ? 0 : 2);

    private static double Fp16Flops(in AttentionPlan plan, MatrixRate rate, long macsPerElement, double instructions) =>
        plan.Elements * ((2 * macsPerElement * FittedConstants.RelativeEnergy(rate.Executed)) + ((instructions + SpecialFunctionEnergy) * FittedConstants.Fp32Energy));

    private static double CombineBytes(Attention op, int split) =>
        2.0 * split * op.Batch * op.QueryTokens * op.QueryHeads * op.ValueDim * sizeof(float);

    private static string Describe(string form, in AttentionPlan plan, double hertz) => FormattableString.Invariant(
        $"flash {form}, block {plan.Tile.Queries}x{plan.Tile.Keys}, split-KV {plan.Split}, {plan.Grid.Ctas} CTAs, {plan.Resident} per SM, {hertz / 1e9:F2} GHz");
}
