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
    /// <param name="variant">Another kernel over many queries than the flash kernel.</param>
    public static KernelCost Price(SimtSpec spec, Attention op, Func<AttentionTile, AttentionTile>? variant = null)
    {
        MatrixRate rate = spec.Rate(op.Type);
        Traffic traffic = Traffic.Of(op);
        return op.Backward ? Backward(spec, op, rate, traffic) : Forward(spec, op, rate, traffic, variant);
    }

    private static KernelCost Forward(SimtSpec spec, Attention op, MatrixRate rate, Traffic traffic, Func<AttentionTile, AttentionTile>? variant)
    {
        bool decode = AttentionTile.IsDecode(op.QueryTokens, op.QueryHeads / Math.Max(1, op.KvHeads));
        bool warpgroups = AttentionTile.Warpgroups(spec, rate);
        AttentionTile tile = decode ? AttentionTile.Decode(warpgroups) : AttentionTile.Forward(warpgroups, op.HeadDim, op.Causal, spec.Multiprocessor.SharedMemory);
        tile = decode || variant is null ? tile : variant(tile);
        double instructions = 4.5 + ((double)op.ValueDim / tile.Keys) + (op.SoftCap is null ? 0 : 2);
        AttentionPlan? best = null;
        foreach (int split in Splits)
        {
            if (split > 1 && split > op.KvTokens / tile.Keys)
            {
                break;
            }

            AttentionGrid grid = decode ? AttentionGrid.Decode(op, tile, split) : AttentionGrid.Forward(op, tile, split);
            double combine = split == 1 ? 0 : spec.Launch.Cost.Seconds + (CombineBytes(op, split) / (spec.L2.BytesPerCycle / 2.0 * spec.BoostClock.Hertz));
            AttentionPlan plan = AttentionPlan.Of(spec, rate, op, tile, grid, split, traffic.Total, spec.Launch.Cost.Seconds + combine, Fp16Flops(rate, op.HeadDim + op.ValueDim, instructions));
            best = best is { } known && known.SecondsAt(known.Hertz) <= plan.SecondsAt(plan.Hertz) ? best : plan;
            if (grid.Ctas >= spec.Multiprocessors * tile.Resident)
            {
                break;
            }
        }

        AttentionPlan chosen = best!.Value;
        var account = new KernelAccount();
        double l2 = (chosen.Elements * (op.HeadDim + op.ValueDim) * op.Type.ByteSize() / tile.Queries) + traffic.Total + (chosen.Split == 1 ? 0 : CombineBytes(op, chosen.Split));
        Settle(account, spec, op, rate, chosen, op.HeadDim + op.ValueDim, instructions, l2);
        account.Dram(spec, traffic.Read, traffic.Written);
        return account.Settle(Describe(decode ? "decode" : "forward", chosen), PowerCap.Voltage(spec, chosen.Hertz));
    }

    private static KernelCost Backward(SimtSpec spec, Attention op, MatrixRate rate, Traffic traffic)
    {
        AttentionTile tile = AttentionTile.Backward(AttentionTile.Warpgroups(spec, rate), op.HeadDim, op.Causal);
        AttentionGrid grid = AttentionGrid.Backward(op, tile);
        double queryElements = (double)op.Batch * op.QueryTokens * op.QueryHeads * op.ValueDim;
        double sideRead = queryElements * ((2 * op.Type.ByteSize()) + sizeof(float));
        double sideWritten = queryElements * (op.Type.ByteSize() + sizeof(float));
        double sides = (2 * spec.Launch.Cost.Seconds) + ((sideRead + sideWritten) / spec.Memory.Sustained);
        double instructions = 6 + (op.SoftCap is null ? 0 : 4);
        long products = (3 * op.HeadDim) + (2 * op.ValueDim);
        AttentionPlan plan = AttentionPlan.Of(spec, rate, op, tile, grid, 1, traffic.Total, spec.Launch.Cost.Seconds + sides, Fp16Flops(rate, products, instructions));

        var account = new KernelAccount();
        double l2 = (plan.Elements * op.HeadDim * ((2.0 * op.Type.ByteSize()) + sizeof(float)) / tile.Keys) + traffic.Total + sideRead + sideWritten;
        Settle(account, spec, op, rate, plan, products, instructions, l2);
        account.Dram(spec, traffic.Read + sideRead, traffic.Written + sideWritten);
        return account.Settle(Describe("backward, row-sum and dQ kernels", plan), PowerCap.Voltage(spec, plan.Hertz));
    }

    private static void Settle(KernelAccount account, SimtSpec spec, Attention op, MatrixRate rate, in AttentionPlan plan, long macsPerElement, double instructions, double l2Bytes)
    {
        double hertz = plan.Hertz, body = plan.BodySeconds(hertz), balanced = body * plan.BalancedShare;
        double executed = plan.Elements * macsPerElement;
        double useful = Math.Min(balanced, Math.Min(op.Macs.Value, executed) / ((double)spec.Multiprocessors * rate.MacsPerCycle) / hertz);
        account.Spend(CycleComponent.Launch, plan.SecondsAt(hertz) - body);
        account.Spend(rate.OnTensorCores ? CycleComponent.MatrixWork : CycleComponent.Vector, useful);
        account.Spend(CycleComponent.TailWave, body - balanced);
        double memory = plan.MemoryBound ? Math.Max(0, Math.Min(balanced, plan.MemorySeconds) - useful) : 0;
        account.Spend(CycleComponent.MemoryBandwidth, memory);
        account.Stalls(plan.Stack, balanced - useful - memory, plan.MemoryBound ? CycleComponent.MemoryBandwidth : CycleComponent.CacheBandwidth, CycleComponent.Scalar);

        const long warpInstructionMacs = 2048;
        account.Multiply(spec, rate, checked((long)executed), 0, spec.TensorCores.Instruction == MatrixInstruction.Wgmma ? 16 * warpInstructionMacs : warpInstructionMacs, hertz);
        account.Lanes(spec, plan.Elements * instructions, op.ElementOperations, plan.Elements, hertz);
        account.Counts.Add(ActivityKind.SharedMemoryByte, checked((long)(plan.Grid.TotalBlocks * plan.SharedBytes)));
        account.L2(spec, l2Bytes, hertz);
    }

    private static double Fp16Flops(MatrixRate rate, long macsPerElement, double instructions) =>
        (2 * macsPerElement * FittedConstants.RelativeEnergy(rate.Executed)) + ((instructions + SpecialFunctionEnergy) * FittedConstants.Fp32Energy);

    private static double CombineBytes(Attention op, int split) =>
        2.0 * split * op.Batch * op.QueryTokens * op.QueryHeads * op.ValueDim * sizeof(float);

    private static string Describe(string form, in AttentionPlan plan) => FormattableString.Invariant(
        $"flash {form}, block {plan.Tile.Queries}x{plan.Tile.Keys}, split-KV {plan.Split}, {plan.Grid.Ctas} CTAs, {plan.Resident} per SM, {plan.Hertz / 1e9:F2} GHz");
}
