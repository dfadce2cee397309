using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>A batch of matrix products as the kernel model sees it.</summary>
/// <param name="M">Output rows.</param>
/// <param name="K">Contraction.</param>
/// <param name="N">Output columns.</param>
/// <param name="Batch">Independent products.</param>
/// <param name="ElementBytes">Bytes of an operand element.</param>
/// <param name="OutputBytes">Bytes of an output element.</param>
/// <param name="Rate">The unit that multiplies.</param>
internal sealed record GemmProblem(long M, long K, long N, long Batch, int ElementBytes, int OutputBytes, MatrixRate Rate)
{
    /// <summary>Multiply-accumulates that the result needs.</summary>
    public double UsefulMacs => (double)M * K * N * Batch;

    /// <summary>Both operands of one product, in bytes.</summary>
    public double OperandBytes => ((double)M + N) * K * ElementBytes;

    /// <summary>The output of one product, in bytes.</summary>
    public double ResultBytes => (double)M * N * OutputBytes;

    /// <summary>Reads an operator.</summary>
    public static GemmProblem Of(MatMul op, SimtSpec spec) => new(
        op.M, op.K, op.N, op.Batch, Numerics.DataTypes.ByteSize(op.Type), Numerics.DataTypes.ByteSize(op.OutputType), spec.Rate(op.Type));
}
