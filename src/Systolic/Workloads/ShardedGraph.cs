using System.Collections.Immutable;

namespace Systolic.Workloads;

/// <summary>What every tensor-parallel rank does for one operator of a graph, or for one exchange between the ranks.</summary>
/// <param name="Whole">The operator of the graph, or the inserted <see cref="Collective"/>.</param>
/// <param name="Ranks">Each rank's part, by rank; null where a rank is idle. A collective has every rank in it.</param>
public sealed record ShardedOperator(Operator Whole, ImmutableArray<Operator?> Ranks);

/// <summary>A section of a sharded graph.</summary>
/// <param name="Name">The section's name.</param>
/// <param name="Repeat">Times the operators run.</param>
/// <param name="Operators">Operators and exchanges of one pass, in execution order.</param>
public sealed record ShardedSection(string Name, long Repeat, ImmutableArray<ShardedOperator> Operators);

/// <summary>A graph divided over tensor-parallel ranks: for each operator, what every rank does.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Phase">What is run.</param>
/// <param name="Degree">Ranks.</param>
/// <param name="Sections">Sections in execution order.</param>
public sealed record ShardedGraph(string Name, string Phase, int Degree, ImmutableArray<ShardedSection> Sections)
{
    /// <summary>Tokens of the run; the same on every rank, for each works on its part of all of them.</summary>
    public long Tokens { get; init; } = 1;

    /// <summary>The graph of one rank, without the operators in which it is idle.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such rank.</exception>
    public OperatorGraph OfRank(int rank)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rank, Degree);
        return new OperatorGraph(Name, FormattableString.Invariant($"{Phase}, rank {rank} of {Degree}"),
            [.. Sections.Select(section => new GraphSection(section.Name, section.Repeat, [.. section.Operators.Select(op => op.Ranks[rank]).OfType<Operator>()]))])
        {
            Tokens = Tokens,
        };
    }
}
