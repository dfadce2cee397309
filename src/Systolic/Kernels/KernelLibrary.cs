using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>The kernel of each operator.</summary>
public static class KernelLibrary
{
    /// <summary>What one core of <paramref name="machine"/> executes for <paramref name="op"/>.</summary>
    /// <param name="op">The operator.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="values">Keep what each instruction computes, so that the programs can be executed on data (<c>Interpreter</c>) and not only timed.</param>
    /// <exception cref="NotSupportedException">Values are asked for, and the operator's kernel is timed only.</exception>
    /// <exception cref="CapacityException">The operator cannot be placed, or has no kernel.</exception>
    public static Lowering Lower(Operator op, Accelerator machine, bool values = false) => Lower(op, machine, values, null);

    /// <summary>As the public one, with a choice of the mappings of products.</summary>
    internal static Lowering Lower(Operator op, Accelerator machine, bool values, MappingChoice? choose)
    {
        ArgumentNullException.ThrowIfNull(op);
        ArgumentNullException.ThrowIfNull(machine);
        if (values && (op is Collective))
        {
            throw new NotSupportedException($"{op.Name}: the kernel of {op.Kind} is timed only; it does not say what it computes.");
        }

        int missing = machine.Sbuf.Partitions - machine.Psum.Partitions;
        if (missing < 0 || (missing > 0 && op is not MatMul))
        {
            throw new CapacityException(FormattableString.Invariant(
                $"{op.Name}: found {machine.Sbuf.Partitions} partitions of SBUF and {machine.Psum.Partitions} of PSUM on {machine.Name}, expected as many: the kernel of {op.Kind} moves tiles between them. An array with more rows than columns runs products alone, one with more columns nothing."));
        }

        return op switch
        {
            MatMul matMul => MatMulKernel.Lower(matMul, machine, values, choose),
            Attention { Backward: false } attention => AttentionKernel.Lower(attention, machine, values),
            Attention attention => AttentionBackwardKernel.Lower(attention, machine, values),
            Norm norm => NormKernel.Lower(norm, machine, values),
            Softmax softmax => SoftmaxKernel.Lower(softmax, machine, values),
            Elementwise elementwise => ElementwiseKernel.Lower(elementwise, machine, values),
            Rope rope => RopeKernel.Lower(rope, machine, values),
            Embedding embedding => EmbeddingKernel.Lower(embedding, machine, values),
            KvAppend append => KvAppendKernel.Lower(append, machine, values),
            MoeRouting routing => MoeRoutingKernel.Lower(routing, machine, values),
            MoePermute permute => MoePermuteKernel.Lower(permute, machine, values),
            CrossEntropy loss => CrossEntropyKernel.Lower(loss, machine, values),
            AdamW optimizer => AdamWKernel.Lower(optimizer, machine, values),
            Collective collective => CollectiveKernel.Lower(collective, machine),
            _ => throw new CapacityException($"{op.Name}: operator {op.Kind} has no kernel for {machine.Name}."),
        };
    }
}
