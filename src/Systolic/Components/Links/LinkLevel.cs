using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Components;

/// <summary>What one exchange between chips takes.</summary>
/// <param name="Latency">Hops, one after the other.</param>
/// <param name="Stream">Bytes through the busiest links.</param>
/// <param name="Sent">Bytes that each chip puts on its links.</param>
/// <param name="Algorithm">"ring", "tree" or "direct"; of several levels joined by a plus.</param>
public readonly record struct ExchangeCost(SimTime Latency, SimTime Stream, Bytes Sent, string Algorithm)
{
    /// <summary>No exchange.</summary>
    public static ExchangeCost None { get; } = new(SimTime.Zero, SimTime.Zero, Bytes.Zero, "none");

    /// <summary>From the last chip's start to the last chip's end.</summary>
    public SimTime Time => Latency + Stream;

    /// <summary>Two exchanges on the same links.</summary>
    public ExchangeCost Then(ExchangeCost next) => this == None ? next : With(next, Stream + next.Stream);

    /// <summary>Two exchanges on different links: pieces of the tensor follow one another through both.</summary>
    public ExchangeCost Piped(ExchangeCost next) => this == None ? next : next == None ? this : With(next, SimTime.Max(Stream, next.Stream));

    private ExchangeCost With(ExchangeCost next, SimTime stream) => new(Latency + next.Latency, stream, Sent + next.Sent, Algorithm == next.Algorithm ? Algorithm : $"{Algorithm} + {next.Algorithm}");
}

/// <summary>Equal links between chips that reach one another over them: the chips of an instance, or of a cluster.</summary>
public sealed record LinkLevel
{
    /// <summary>The links' name, such as "NeuronLink-v2".</summary>
    public required string Name { get; init; }

    /// <summary>How they connect the chips.</summary>
    public required LinkTopology Topology { get; init; }

    /// <summary>Chips that reach one another over these links and those of the levels before.</summary>
    public required int Chips { get; init; }

    /// <summary>Links of one chip.</summary>
    public required int Links { get; init; }

    /// <summary>Peak bandwidth of one link in one direction.</summary>
    public required Bandwidth Bandwidth { get; init; }

    /// <summary>From a chip's memory to its neighbour's, for the first byte.</summary>
    public required SimTime Latency { get; init; }

    /// <summary>Links that an exchange between more than two chips drives at once, in one direction each.</summary>
    public required int Rings { get; init; }

    /// <summary>Share of the peak that long exchanges reach.</summary>
    public double SustainedShare { get; init; } = 1;

    /// <summary>What libraries have for short messages beside; null for one protocol at all sizes.</summary>
    public ShortMessages? Short { get; init; }

    /// <summary>What a chip sends per second in an exchange between <paramref name="chips"/> of the <paramref name="group"/> neighbours that these links join.</summary>
    /// <remarks>Of the links that the algorithm drives: all through a switch or around the whole ring or torus, two around rows of a torus; otherwise the chips lie in a line, and one.</remarks>
    public Bandwidth Rate(int chips, int group)
    {
        int side = Side(group);
        int used = Topology == LinkTopology.Switch || chips >= group ? Links
            : Topology == LinkTopology.Torus && chips % side == 0 ? 2
            : 1;
        return Bandwidth * (Math.Min(used, Rings) * SustainedShare);
    }

    /// <summary>An exchange between <paramref name="chips"/> of the <paramref name="group"/> neighbours that these links join.</summary>
    /// <remarks>
    /// n chips, S bytes, rate B, hop latency a. Ring: (n - 1)/n S/B + (n - 1) a to gather or to reduce and scatter, twice that to reduce to all (Thakur et al. 2005).
    /// Tree: 2 S/B + 2 d a through a switch, where two trees keep all links busy (Sanders et al. 2009), d = ceil(log2 n); on a ring or torus each link carries
    /// all bytes up and down and d is the distance to the farthest chip. All-to-all: (n - 1)/n S/B times the mean distance, and the farthest chip's latency.
    /// </remarks>
    /// <param name="function">Which exchange.</param>
    /// <param name="bytes">The whole tensor; of an all-to-all, what one chip holds.</param>
    /// <param name="chips">Participants.</param>
    /// <param name="group">Neighbours that these links join.</param>
    public ExchangeCost Cost(CollectiveFunction function, Bytes bytes, int chips, int group)
    {
        if (chips <= 1)
        {
            return ExchangeCost.None;
        }

        if (Short is { } messages)
        {
            ExchangeCost full = (this with { Short = null }).Cost(function, bytes, chips, group);
            ExchangeCost quick = (this with { Short = null, Latency = messages.Latency, SustainedShare = messages.SustainedShare }).Cost(function, bytes, chips, group);
            return quick.Time < full.Time ? quick : full;
        }

        double share = (chips - 1.0) / chips;
        return function switch
        {
            CollectiveFunction.AllToAll => Exchange("direct", share * MeanDistance(chips), Farthest(chips), true),
            CollectiveFunction.AllReduce when Tree() is var tree && Exchange("ring", 2 * share, 2 * (chips - 1), false) is var ring => tree.Time < ring.Time ? tree : ring,
            _ => Exchange("ring", share, chips - 1, false),
        };

        ExchangeCost Tree() => Topology == LinkTopology.Switch
            ? Exchange("tree", 2, 2 * (int)Math.Ceiling(Math.Log2(chips)), false)
            : Exchange("tree", 2 * Rate(chips, group).BytesPerSecond / (Bandwidth.BytesPerSecond * SustainedShare), 2 * Farthest(chips), false);

        ExchangeCost Exchange(string algorithm, double volumes, int hops, bool direct)
        {
            var sent = new Bytes((long)Math.Ceiling(bytes.Value * (direct ? share : volumes)));
            return new(Latency * hops, Rate(chips, group).TimeFor(new Bytes((long)Math.Ceiling(bytes.Value * volumes))), sent, algorithm);
        }
    }

    /// <summary>A transfer to one neighbour.</summary>
    public ExchangeCost Send(Bytes bytes) => new(Latency, (Bandwidth * ((Topology == LinkTopology.Switch ? Links : 1) * SustainedShare)).TimeFor(bytes), bytes, "direct");

    /// <summary>Hops to the farthest of n chips.</summary>
    private int Farthest(int chips) => Topology switch
    {
        LinkTopology.Ring => chips / 2,
        LinkTopology.Torus => (Side(chips) / 2) + (chips / Side(chips) / 2),
        _ => 1,
    };

    /// <summary>Mean hops between two of n chips.</summary>
    private double MeanDistance(int chips)
    {
        int side = Side(chips);
        return Topology switch
        {
            LinkTopology.Ring => OfRing(chips) * chips / (chips - 1),
            LinkTopology.Torus => (OfRing(side) + OfRing(chips / side)) * chips / (chips - 1),
            _ => 1,
        };

        static double OfRing(int n) => n * n / 4 / (double)n;
    }

    /// <summary>The longest side, at most the square root, that divides the chips evenly.</summary>
    private static int Side(int chips)
    {
        int side = (int)Math.Sqrt(chips);
        while (chips % side != 0)
        {
            side--;
        }

        return side;
    }
}

/// <summary>A protocol that flags every few bytes instead of synchronizing pieces: hops are quicker, links carry less (NCCL's LL).</summary>
/// <param name="Latency">From a chip's memory to its neighbour's, for the first byte.</param>
/// <param name="SustainedShare">Share of the peak that it reaches.</param>
public readonly record struct ShortMessages(SimTime Latency, double SustainedShare);
