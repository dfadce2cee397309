using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>Cycles that one score element takes at each unit of a multiprocessor, and their throughput together.</summary>
/// <param name="Tensor">Matrix products.</param>
/// <param name="Softmax">Maximum, exponential, sum, conversion, rescaling of the output.</param>
/// <param name="Shared">Shared-memory port.</param>
/// <param name="Port">Results summed through L2.</param>
/// <param name="Prefetched">Operands from L2, which asynchronous copies fetch ahead: they bound the others and are no station between them.</param>
internal readonly record struct AttentionCost(double Tensor, double Softmax, double Shared, double Port, double Prefetched)
{
    /// <summary>Cycles per score element with <paramref name="contexts"/> contexts circulating: queueing, not an overlap factor.</summary>
    public double Interval(int contexts) => Math.Max(Prefetched, ClosedQueue.Interval(contexts, Tensor, Softmax, Shared, Port));

    /// <summary>Cycles of all units for one score element, one after the other.</summary>
    public double Sum => Tensor + Softmax + Shared + Port;

    /// <summary>The unit that holds the tensor cores back most.</summary>
    public CycleComponent Bound => Softmax >= Math.Max(Shared, Port) ? CycleComponent.Scalar : CycleComponent.ScratchpadConflict;

    /// <summary>Forward: two products; one maximum, one exponential, one sum, half a conversion, and the output rescaled once per key block. A soft cap: a tangent and a product.</summary>
    /// <remarks>mma.sync kernels read keys and values from shared memory once per warp, the queries once per key block, and fill by cp.async; wgmma reads inside its tensor time.</remarks>
    public static AttentionCost Forward(SimtSpec spec, MatrixRate rate, Attention op, AttentionTile tile)
    {
        MultiprocessorSpec sm = spec.Multiprocessor;
        double both = op.HeadDim + op.ValueDim;
        double bytes = op.Type.ByteSize();
        double softmax = ((bytes == 1 ? 1.75 : 1.5) / sm.IntegerLanes) + (1.0 / sm.SpecialFunctionLanes) + ((1.0 + ((double)op.ValueDim / tile.Keys)) / sm.Fp32Lanes)
            + (op.SoftCap is null ? 0 : (1.0 / sm.SpecialFunctionLanes) + (1.0 / sm.Fp32Lanes));
        double shared = Warpgroups(spec, rate) ? 0
            : bytes * ((both / tile.WarpRows) + ((double)op.HeadDim / tile.Keys) + (both / tile.Queries)) / sm.SharedBytesPerCycle;
        double l2 = both * bytes / tile.Queries;
        return new AttentionCost(both / rate.MacsPerCycle, softmax, shared, 0, l2 * Math.Max(1.0 / sm.PortBytesPerCycle, (double)spec.Multiprocessors / spec.L2.BytesPerCycle));
    }

    /// <summary>Backward: five products, the scores among them computed again; one exponential, two fused multiply-adds, one conversion. A soft cap: a tangent and three products.</summary>
    /// <remarks>
    /// Shared port, mma.sync: per warp layout of the published kernel (4x2 warps for S, dP, dV, dK; 2x4 for dQ) 0.625 bytes per head feature at two bytes per element, and P and dS.
    /// wgmma: three quarters of the tensor time, P and dS written and read, dQ staged (inferred). dQ is summed through L2 in fp32.
    /// </remarks>
    public static AttentionCost Backward(SimtSpec spec, MatrixRate rate, Attention op, AttentionTile tile)
    {
        MultiprocessorSpec sm = spec.Multiprocessor;
        double d = op.HeadDim;
        double bytes = op.Type.ByteSize();
        double tensor = ((3 * d) + (2.0 * op.ValueDim)) / rate.MacsPerCycle;
        double softmax = (1.0 / sm.SpecialFunctionLanes) + (2.0 / sm.Fp32Lanes) + (1.0 / sm.IntegerLanes)
            + (bytes == 1 ? (3.5 / sm.IntegerLanes) + (2.0 / sm.Fp32Lanes) : 0)
            + (op.SoftCap is null ? 0 : (1.0 / sm.SpecialFunctionLanes) + (3.0 / sm.Fp32Lanes));
        double dq = 4 * d / tile.Keys;
        double shared = Warpgroups(spec, rate)
            ? (0.75 * tensor) + (((4 * bytes) + dq) / sm.SharedBytesPerCycle)
            : bytes / 2 * ((0.625 * d) + 4) / sm.SharedBytesPerCycle;
        return new AttentionCost(tensor, softmax, shared, dq / sm.PortBytesPerCycle, 0);
    }

    /// <summary>With the comparison and selection that hide keys, in the blocks on the diagonal of a causal mask.</summary>
    public AttentionCost Masked(SimtSpec spec, Attention op, AttentionTile tile, AttentionGrid grid)
    {
        double diagonal = Math.Ceiling(Math.Max(tile.Queries, tile.Keys) / (double)Math.Min(tile.Queries, tile.Keys));
        return op.Causal && op.QueryTokens > 1 ? this with { Softmax = Softmax + (Math.Min(1, diagonal * grid.Ctas / grid.TotalBlocks) * 2 / spec.Multiprocessor.IntegerLanes) } : this;
    }

    /// <summary>The kernel is of the Hopper kind.</summary>
    public static bool Warpgroups(SimtSpec spec, MatrixRate rate) => rate.OnTensorCores && spec.TensorCores.Instruction == MatrixInstruction.Wgmma;
}
