using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>The kernel of each operator.</summary>
public static class KernelLibrary
{
    /// <summary>What one core of <paramref name="machine"/> executes for <paramref name="op"/>.</summary>
    /// <exception cref="CapacityException">The operator cannot be placed, or has no kernel.</exception>
    public static Lowering Lower(Operator op, Accelerator machine)
    {
        ArgumentNullException.ThrowIfNull(op);
        ArgumentNullException.ThrowIfNull(machine);
        return op switch
        {
            MatMul matMul => MatMulKernel.Lower(matMul, machine),
            Attention { Backward: false } attention => AttentionKernel.Lower(attention, machine),
            Attention attention => AttentionBackwardKernel.Lower(attention, machine),
            Norm norm => NormKernel.Lower(norm, machine),
            Softmax softmax => SoftmaxKernel.Lower(softmax, machine),
            Elementwise elementwise => ElementwiseKernel.Lower(elementwise, machine),
            Rope rope => RopeKernel.Lower(rope, machine),
            Embedding embedding => EmbeddingKernel.Lower(embedding, machine),
            KvAppend append => KvAppendKernel.Lower(append, machine),
            MoeRouting routing => MoeRoutingKernel.Lower(routing, machine),
            MoePermute permute => MoePermuteKernel.Lower(permute, machine),
            CrossEntropy loss => CrossEntropyKernel.Lower(loss, machine),
            AdamW optimizer => AdamWKernel.Lower(optimizer, machine),
            Collective collective => CollectiveKernel.Lower(collective, machine),
            _ => throw new CapacityException($"{op.Name}: operator {op.Kind} has no kernel for {machine.Name}."),
        };
    }
}
