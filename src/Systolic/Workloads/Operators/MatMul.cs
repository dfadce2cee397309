using System.Collections.Immutable;
using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Workloads;

/// <summary>Output[M,N] = left[M,K] x right[K,N], <paramref name="Batch"/> times, each with its own operands.</summary>
/// <param name="Name">Node name.</param>
/// <param name="M">Output rows.</param>
/// <param name="K">Contraction.</param>
/// <param name="N">Output columns.</param>
/// <param name="Batch">Independent products, such as experts, or heads where each has a matrix of its own.</param>
/// <param name="LeftTransposed">The left operand lies in memory as [K,M].</param>
/// <param name="RightTransposed">The right operand lies in memory as [N,K].</param>
/// <param name="Bias">A vector of N is added to every row.</param>
public sealed record MatMul(string Name, long M, long K, long N, long Batch = 1, bool LeftTransposed = false, bool RightTransposed = false, bool Bias = false) : Operator(Name)
{
    /// <inheritdoc/>
    public override DataType Type { get; init; } = DataType.Bf16;

    /// <summary>Element type of the output in memory; the sum itself is fp32.</summary>
    public DataType OutputType { get; init; } = DataType.Bf16;

    /// <inheritdoc/>
    public override string Kind => "matmul";

    /// <inheritdoc/>
    public override MacCount Macs => new(checked(M * K * N * Batch));

    /// <inheritdoc/>
    public override string Describe() => Batch == 1
        ? FormattableString.Invariant($"{M}x{K}x{N}")
        : FormattableString.Invariant($"{Batch}x{M}x{K}x{N}");

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes()
    {
        (Shape, DataType) left = (LeftTransposed ? new Shape(K, M, Batch) : new Shape(M, K, Batch), Type);
        (Shape, DataType) right = (RightTransposed ? new Shape(N, K, Batch) : new Shape(K, N, Batch), Type);
        return Bias ? [left, right, (new Shape(1, N, Batch), Type)] : [left, right];
    }

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => [(new Shape(M, N, Batch), OutputType)];

    /// <inheritdoc/>
    protected override Operator Restrict(long share) => Split.Axis switch
    {
        SplitAxis.Rows => this with { M = M / Split.Units * share },
        SplitAxis.Columns => this with { N = N / Split.Units * share },
        SplitAxis.Heads when Batch == 1 => this with { N = N / Split.Units * share },
        SplitAxis.Contraction => this with { K = K / Split.Units * share },
        SplitAxis.Batch or SplitAxis.Heads => this with { Batch = Batch / Split.Units * share },
        _ => this,
    };
}
