namespace Systolic.Workloads;

/// <summary>The dimension along which tensor parallelism divides an operator (Shoeybi et al., Megatron-LM, arXiv 1909.08053; sequence parallelism: Korthikanti et al., arXiv 2205.05198).</summary>
public enum SplitAxis
{
    /// <summary>Every rank computes the whole.</summary>
    Replicate,

    /// <summary>Rows, that is tokens: sequence parallelism for norms, residuals and embeddings.</summary>
    Rows,

    /// <summary>Output columns: the input must be whole, the output is divided.</summary>
    Columns,

    /// <summary>The contraction dimension: every rank holds a partial sum, which must be reduced.</summary>
    Contraction,

    /// <summary>Attention heads.</summary>
    Heads,

    /// <summary>Independent matrices, such as experts.</summary>
    Batch,
}

/// <summary>How an operator is divided: along which axis and in how many indivisible units.</summary>
/// <param name="Axis">The dimension.</param>
/// <param name="Units">Units that stay whole, such as heads; the units are dealt as evenly as they go.</param>
public readonly record struct Split(SplitAxis Axis, long Units)
{
    /// <summary>Units of <paramref name="rank"/>: the first ranks take one more when the division leaves a remainder.</summary>
    public long ShareOf(int rank, int degree) => Units / degree + (rank < Units % degree ? 1 : 0);
}
