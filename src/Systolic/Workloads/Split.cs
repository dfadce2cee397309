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
    /// <summary>Query heads that are dealt in place of the units, when the units are key/value heads shared by groups of them; 0 when the units are dealt themselves.</summary>
    /// <remarks>A rank then takes every key/value head that one of its query heads reads, so one head may go to several ranks.</remarks>
    public long SharedBy { get; init; }

    /// <summary>Units of <paramref name="rank"/>: the first ranks take one more when the division leaves a remainder.</summary>
    public long ShareOf(int rank, int degree)
    {
        if (SharedBy <= Units)
        {
            return Deal(Units, rank, degree);
        }

        long queries = Deal(SharedBy, rank, degree);
        long first = (rank * (SharedBy / degree)) + Math.Min(rank, SharedBy % degree);
        long group = SharedBy / Units;
        return queries == 0 ? 0 : ((first + queries - 1) / group) - (first / group) + 1;
    }

    /// <summary>How the part of <paramref name="rank"/> is divided in turn.</summary>
    public Split Of(int rank, int degree) => this with { Units = ShareOf(rank, degree), SharedBy = Deal(SharedBy, rank, degree) };

    private static long Deal(long units, int rank, int degree) => (units / degree) + (rank < units % degree ? 1 : 0);
}
