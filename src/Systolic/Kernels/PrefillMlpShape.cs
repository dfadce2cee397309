using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>What <see cref="PrefillMlpKernel"/> computes.</summary>
/// <param name="Rows">Tokens over all cores.</param>
/// <param name="Hidden">Features of a token, a multiple of 128 (fp8: 256).</param>
/// <param name="Intermediate">Features between the projections (fp8: a multiple of 128).</param>
/// <param name="Scaling">Scales of the weights: where there are any, tokens arrive in fp8, too, each with a scale of its own for <see cref="WeightScaling.Row"/>.</param>
internal sealed record PrefillMlpShape(long Rows, int Hidden, int Intermediate, WeightScaling Scaling)
{
    /// <summary>Normalization of bf16 tokens before; null for none.</summary>
    public NormFunction? Norm { get; init; }

    /// <summary>f(gate) x up; without it f(up).</summary>
    public bool Gate { get; init; } = true;

    /// <summary>The function f.</summary>
    public ActivationFunction Function { get; init; } = ActivationFunction.Silu;

    /// <summary>Element type of weights and tokens.</summary>
    public DataType OperandType => Scaling == WeightScaling.None ? DataType.Bf16 : DataType.Fp8E4M3;
}
