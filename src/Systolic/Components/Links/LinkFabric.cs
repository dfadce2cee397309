using System.Collections.Immutable;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Components;

/// <summary>The links between chips, from those of an instance to those of a cluster.</summary>
/// <remarks>Chips are numbered so that those of one instance follow each other; a group of chips is named by its size and by the distance between its members' numbers.</remarks>
/// <param name="Levels">From the innermost; each reaches more chips than the one before.</param>
public sealed record LinkFabric(ImmutableArray<LinkLevel> Levels)
{
    /// <summary>Chips that reach one another.</summary>
    public int Chips => Levels[^1].Chips;

    /// <summary>An exchange between chips of a group, level by level: reduced inside before outside, gathered outside before inside, so that outer links carry an inner chip's part only.</summary>
    /// <remarks>Levels work on different pieces at the same time, so the one that takes longest counts, and the hops of all.</remarks>
    /// <param name="function">Which exchange.</param>
    /// <param name="bytes">The whole tensor; of an all-to-all, what one chip holds.</param>
    /// <param name="chips">Participants.</param>
    /// <param name="stride">Distance between their numbers.</param>
    public ExchangeCost Cost(CollectiveFunction function, Bytes bytes, int chips, int stride = 1)
    {
        (ExchangeCost cost, Bytes part) = (ExchangeCost.None, bytes);
        ImmutableArray<(LinkLevel Level, int Chips, int Group)> joins = Joins(chips, stride);
        for (int i = 0; i < joins.Length; i++)
        {
            (LinkLevel level, int members, int group) = joins[i];
            ExchangeCost One(CollectiveFunction kind) => level.Cost(kind, part, members, group);

            // A sum for all is reduced and scattered inside, summed over the outermost level, and gathered inside.
            cost = cost.Piped(function == CollectiveFunction.AllReduce && i < joins.Length - 1 ? One(CollectiveFunction.ReduceScatter).Then(One(CollectiveFunction.AllGather)) : One(function));
            part = function == CollectiveFunction.AllToAll ? part : new Bytes((part.Value + members - 1) / members);
        }

        return cost;
    }

    /// <summary>A transfer from a chip to the one whose number is <paramref name="stride"/> higher.</summary>
    public ExchangeCost Send(Bytes bytes, int stride) => (Levels.FirstOrDefault(level => 2L * stride <= level.Chips) ?? Levels[^1]).Send(bytes);

    /// <summary>The innermost level that joins chips of such a group.</summary>
    public LinkLevel Innermost(int chips, int stride) => Joins(chips, stride) is [var first, ..] ? first.Level : Levels[0];

    /// <summary>How many members, or groups of members, each level joins, and how many neighbours it has in all.</summary>
    private ImmutableArray<(LinkLevel Level, int Chips, int Group)> Joins(int chips, int stride)
    {
        var joins = ImmutableArray.CreateBuilder<(LinkLevel, int, int)>();
        int joined = 1, below = 1;
        foreach (LinkLevel level in Levels)
        {
            int members = Math.Max(joined, (int)Math.Min(chips, level.Chips / stride));
            int parts = (members + joined - 1) / joined;
            if (parts > 1)
            {
                joins.Add((level, parts, level.Chips / below));
                joined = members;
            }

            below = level.Chips;
        }

        return joins.ToImmutable();
    }
}
