using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>The CTAs of a flash-attention kernel and the score blocks of each.</summary>
/// <param name="Ctas">Thread blocks.</param>
/// <param name="TotalBlocks">Score blocks over all CTAs; blocks that the causal mask empties are skipped.</param>
/// <param name="Longest">Blocks of the CTA with the most.</param>
/// <param name="Shortest">Blocks of the CTA with the least.</param>
internal readonly record struct AttentionGrid(long Ctas, double TotalBlocks, long Longest, long Shortest)
{
    /// <summary>One CTA per query block, head and sequence, times the splits of the keys.</summary>
    public static AttentionGrid Forward(Attention op, AttentionTile tile, int split)
    {
        long heads = op.Batch * op.QueryHeads;
        long queryBlocks = Blocks(op.QueryTokens, tile.Queries);
        long sum = 0;
        long longest = 0;
        long shortest = long.MaxValue;
        for (long i = 0; i < queryBlocks; i++)
        {
            long seen = op.Causal ? Math.Min(op.KvTokens, op.KvTokens - op.QueryTokens + ((i + 1) * tile.Queries)) : op.KvTokens;
            long hidden = op.Window is { } window ? Math.Max(0, op.KvTokens - op.QueryTokens + (i * tile.Queries) - window + 1) / tile.Keys : 0;
            long blocks = Blocks(Blocks(seen, tile.Keys) - hidden, split);
            (sum, longest, shortest) = (sum + blocks, Math.Max(longest, blocks), Math.Min(shortest, blocks));
        }

        return new(heads * queryBlocks * split, (double)sum * heads * split, longest, shortest);
    }

    /// <summary>One CTA per key/value head and sequence, its queries packed, times the splits of the keys.</summary>
    public static AttentionGrid Decode(Attention op, AttentionTile tile, int split)
    {
        long blocks = Blocks(Blocks(op.KvTokens, tile.Keys), split);
        long ctas = op.Batch * op.KvHeads * split;
        return new(ctas, (double)blocks * ctas, blocks, blocks);
    }

    /// <summary>One CTA per key block, query head and sequence.</summary>
    public static AttentionGrid Backward(Attention op, AttentionTile tile)
    {
        long heads = op.Batch * op.QueryHeads;
        long keyBlocks = Blocks(op.KvTokens, tile.Keys);
        long sum = 0;
        long longest = 0;
        long shortest = long.MaxValue;
        for (long j = 0; j < keyBlocks; j++)
        {
            long first = op.Causal ? Math.Clamp((j * tile.Keys) - (op.KvTokens - op.QueryTokens), 0, op.QueryTokens) : 0;
            long last = op.Window is { } window ? Math.Clamp(((j + 1) * tile.Keys) - 1 + window - (op.KvTokens - op.QueryTokens), first, op.QueryTokens) : op.QueryTokens;
            long blocks = Blocks(last - first, tile.Queries);
            (sum, longest, shortest) = (sum + blocks, Math.Max(longest, blocks), Math.Min(shortest, blocks));
        }

        return new(heads * keyBlocks, (double)sum * heads, longest, shortest);
    }

    /// <summary>Cycles until the last CTA ends, CTAs taken in order by whichever slot is free.</summary>
    /// <param name="slots">CTAs that run at once.</param>
    /// <param name="perBlock">Cycles of one score block in a slot.</param>
    /// <param name="perCta">Cycles around the blocks.</param>
    /// <param name="longestFirst">Issue order under a causal mask; otherwise shortest first.</param>
    /// <remarks>Equal CTAs run in whole waves. Unequal ones balance, and the last to start leaves half of itself as a tail (the mean over its start).</remarks>
    public double Makespan(long slots, double perBlock, double perCta, bool longestFirst)
    {
        double longest = (Longest * perBlock) + perCta;
        if (Ctas <= slots)
        {
            return longest;
        }

        if (Longest == Shortest)
        {
            return (Ctas + slots - 1) / slots * longest;
        }

        double last = longestFirst ? (Shortest * perBlock) + perCta : longest;
        return Math.Max(longest, Balanced(slots, perBlock, perCta) + (last / 2));
    }

    /// <summary>Cycles if all slots ended together.</summary>
    public double Balanced(long slots, double perBlock, double perCta) =>
        ((TotalBlocks * perBlock) + (Ctas * perCta)) / Math.Min(slots, Ctas);

    private static long Blocks(long extent, long size) => (extent + size - 1) / size;
}
