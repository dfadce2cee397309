using System.Collections.Immutable;

namespace Systolic.Workloads;

/// <summary>Divides a graph over tensor-parallel ranks and inserts the exchanges that the division needs.</summary>
/// <remarks>
/// Attention and feed-forward blocks are divided by heads and features, everything between them by tokens (Shoeybi et al., arXiv 1909.08053;
/// Korthikanti et al., arXiv 2205.05198): an all-gather enters a block, a reduce-scatter leaves it. Left out as small: the reduction of
/// gradients of normalization parameters and of key/value heads that several ranks share.
/// </remarks>
public static class TensorParallel
{
    /// <summary>The largest degree.</summary>
    public const int MaximumDegree = 65_536;

    /// <summary>What each of <paramref name="degree"/> ranks does. One rank does the whole, without exchanges.</summary>
    /// <remarks>
    /// Query heads are dealt as evenly as they go; a rank computes every key/value head that its query heads read. With fewer key/value heads
    /// than ranks, or with groups of query heads cut between ranks, a key/value head is computed on several ranks, and the multiply-accumulates of the ranks
    /// add up to more than the graph's.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The degree is not between 1 and <see cref="MaximumDegree"/>.</exception>
    public static ShardedGraph Shard(OperatorGraph graph, int degree)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(degree);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(degree, MaximumDegree);
        var layouts = new Dictionary<string, Layout>(StringComparer.Ordinal);
        return new ShardedGraph(graph.Name, graph.Phase, degree, [.. graph.Sections.Select(section => Shard(section, degree, layouts))]) { Tokens = graph.Tokens };
    }

    private static ShardedSection Shard(GraphSection section, int degree, Dictionary<string, Layout> layouts)
    {
        if (degree == 1)
        {
            return new ShardedSection(section.Name, section.Repeat, [.. section.Operators.Select(op => new ShardedOperator(op, [op]))]);
        }

        return new ShardedSection(section.Name, section.Repeat, [.. new Exchanges(section, degree, layouts).Insert().Select(op => Divide(op, degree))]);
    }

    private static ShardedOperator Divide(Operator op, int degree)
    {
        var ranks = ImmutableArray.CreateBuilder<Operator?>(degree);
        for (int rank = 0; rank < degree; rank++)
        {
            ranks.Add(Share(op, rank, degree));
        }

        return new ShardedOperator(op, ranks.MoveToImmutable());
    }

    /// <summary>A rank's attention has the key/value heads that its query heads read, as its projections do.</summary>
    private static Operator? Share(Operator op, int rank, int degree) => op.ShareOf(rank, degree) is Attention part && op is Attention whole
        ? part with { KvHeads = new Split(SplitAxis.Heads, whole.KvHeads) { SharedBy = whole.QueryHeads }.ShareOf(rank, degree) }
        : op.ShareOf(rank, degree);
}
