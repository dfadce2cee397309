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
    /// <param name="function">Which exchange.</param>
    /// <param name="bytes">The whole tensor; of an all-to-all, what one chip holds.</param>
    /// <param name="chips">Participants.</param>
    /// <param name="stride">Distance between their numbers.</param>
    public ExchangeCost Cost(CollectiveFunction function, Bytes bytes, int chips, int stride = 1)
    {
        ImmutableArray<(LinkLevel Level, int Chips, int Group)> joins = Joins(chips, stride);
        if (function == CollectiveFunction.AllReduce && joins.Length > 1)
        {
            // Reduced and scattered inside, summed over the outermost level, gathered inside.
            ExchangeCost around = joins[..^1].Aggregate((Cost: ExchangeCost.None, Part: bytes), (sum, join) =>
                (sum.Cost.Then(One(CollectiveFunction.ReduceScatter, sum.Part, join)).Then(One(CollectiveFunction.AllGather, sum.Part, join)), Share(sum.Part, join.Chips))).Cost;
            int inside = joins[..^1].Aggregate(1, (product, join) => product * join.Chips);
            return around.Then(One(function, Share(bytes, inside), joins[^1]));
        }

        (ExchangeCost cost, Bytes part) = (ExchangeCost.None, bytes);
        foreach (var join in joins)
        {
            cost = cost.Then(One(function, part, join));
            part = function == CollectiveFunction.AllToAll ? part : Share(part, join.Chips);
        }

        return cost;

        static Bytes Share(Bytes whole, int parts) => new((whole.Value + parts - 1) / parts);

        static ExchangeCost One(CollectiveFunction function, Bytes bytes, (LinkLevel Level, int Chips, int Group) join) => join.Level.Cost(function, bytes, join.Chips, join.Group);
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
