using Systolic.Accounting;
using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>Prices operators on one machine, each as one library kernel (attention: as its kernels).</summary>
/// <remarks>No fusion: bias and activation, which libraries fold into a product's epilogue, are launches of their own, as the graph lists them.</remarks>
internal static class SimtPricer
{
    /// <summary>Time, stack, counts and mapping of one execution.</summary>
    /// <param name="spec">The machine.</param>
    /// <param name="op">The operator; its names are not looked at.</param>
    /// <param name="stateful">Bytes of weights, caches and optimizer state among its tensors.</param>
    /// <param name="style">Whose row kernels run.</param>
    public static KernelCost Price(SimtSpec spec, Operator op, Traffic stateful, RowStyle style = RowStyle.Fused) => op switch
    {
        MatMul product => GemmKernel.Price(spec, product),
        Attention attention => AttentionKernel.Price(spec, attention),
        RowOperator rows and not Collective => RowKernel.Price(spec, rows, stateful, style),
        _ => throw new CapacityException($"{spec.Name}: no SIMT kernel for \"{op.Kind}\" ({op.Describe()}). This machine is one GPU: use a tensor-parallel degree of 1."),
    };
}
