using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Scales of fp8 weights.</summary>
internal enum WeightScaling
{
    /// <summary>None: the weights are bf16.</summary>
    None,

    /// <summary>One for each output column.</summary>
    Row,

    /// <summary>One for the matrix.</summary>
    Static,
}

/// <summary>What <see cref="DecodeMlpKernel"/> computes, and in which order of operands.</summary>
/// <param name="Tokens">Tokens: batch x new tokens of each.</param>
/// <param name="Hidden">Features of a token.</param>
/// <param name="Intermediate">Features between the projections.</param>
/// <param name="Norm">Normalization before; null for none.</param>
internal sealed record DecodeMlpShape(int Tokens, int Hidden, int Intermediate, NormFunction? Norm = null)
{
    /// <summary>silu(gate) x up; without it silu(up).</summary>
    public bool Gate { get; init; } = true;

    /// <summary>Each projection adds a bias.</summary>
    public bool Bias { get; init; }

    /// <summary>A residual is added to the tokens first.</summary>
    public bool AddResidual { get; init; }

    /// <summary>The sum with the residual also goes to main memory.</summary>
    public bool StoreSum { get; init; }

    /// <summary>Tokens are the stationary operand of gate and up in column strips; otherwise the weights are.</summary>
    public bool GateUpColumns { get; init; } = true;

    /// <summary>The same for the down projection.</summary>
    public bool DownColumns { get; init; } = true;

    /// <summary>Where down weights are stationary, they lie in main memory so that the columns of a product are consecutive.</summary>
    public bool DownPermuted { get; init; }

    /// <summary>Scales of fp8 weights.</summary>
    public WeightScaling Scaling { get; init; }

    /// <summary>Element type of the weights.</summary>
    public DataType WeightType => Scaling == WeightScaling.None ? DataType.Bf16 : DataType.Fp8E4M3;
}
