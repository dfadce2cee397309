using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Kernels;

/// <summary>Attention over a prompt as the public kernel library takes it: heads of all sequences side by side, and options for masks and layouts.</summary>
/// <remarks>
/// Query i sees a key at position j if j is not after it (<see cref="Causal"/>) and fewer than <see cref="Window"/> positions before it. Positions begin with the used part of the prior keys;
/// how much of them is used, and how far ahead the first query of a context-parallel core stands, the program reads from main memory. Scores are not scaled: queries come scaled.
/// </remarks>
internal sealed record PrefillAttention
{
    /// <summary>The name in reports.</summary>
    public string Name { get; init; } = "prefill attention";

    /// <summary>Query heads over all sequences.</summary>
    public required int Heads { get; init; }

    /// <summary>Key/value heads over all sequences; each serves as many query heads.</summary>
    public required int KvHeads { get; init; }

    /// <summary>Queries of a head.</summary>
    public required int Queries { get; init; }

    /// <summary>Keys of a head beside prior ones.</summary>
    public required int Keys { get; init; }

    /// <summary>Features of a head, at most as many as there are partitions.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Keys of a head from earlier prompts, of which the program uses as many as main memory says; 0 for none.</summary>
    public int PriorKeys { get; init; }

    /// <summary>No query sees a key after itself.</summary>
    public bool Causal { get; init; }

    /// <summary>Keys that a query sees, itself included; 0 for all. Needs <see cref="Causal"/>.</summary>
    public int Window { get; init; }

    /// <summary>Each head has one more score, without a value, in its softmax.</summary>
    public bool Sink { get; init; }

    /// <summary>Context parallelism: the queries are some of a longer prompt; which ones the program reads from main memory. Needs <see cref="Causal"/>.</summary>
    public bool QueriesAnywhere { get; init; }

    /// <summary>In main memory a query's features lie side by side; otherwise a feature's queries.</summary>
    public bool QueriesByToken { get; init; }

    /// <summary>In main memory a key's features lie side by side; otherwise a feature's keys.</summary>
    public bool KeysByToken { get; init; }

    /// <summary>In main memory a result's features lie side by side; otherwise a feature's results.</summary>
    public bool OutputByToken { get; init; }

    /// <summary>Element type in main memory; products are of bf16.</summary>
    public DataType Type { get; init; } = DataType.Bf16;

    /// <summary>Query heads that share a key/value head.</summary>
    public int Sharing => Heads / KvHeads;
}

/// <summary>Work of a core: query groups of one head.</summary>
/// <param name="Head">Query head.</param>
/// <param name="FirstGroup">First group of 128 queries.</param>
/// <param name="Groups">Groups.</param>
/// <param name="Whole">All groups of the head.</param>
internal readonly record struct PrefillPart(int Head, int FirstGroup, int Groups, bool Whole)
{
    // Causal: later queries see more keys, so the core with the first ones takes more of them.
    private const double CausalShare = 0.65;
    private const int LeastQueriesToDivide = 1024;

    /// <summary>Divides heads over one or two cores; of an odd number the last is divided by its queries, or, if short, left to the first core.</summary>
    public static ImmutableArray<PrefillPart> Of(PrefillAttention op, int core, int cores)
    {
        int groups = PrefillPlan.GroupsOf(op), perCore = op.Heads / cores;
        var whole = Enumerable.Range(core * perCore, perCore).Select(head => new PrefillPart(head, 0, groups, true)).ToList();
        if (op.Heads % cores != 0)
        {
            int last = op.Heads - 1, first = op.Queries < LeastQueriesToDivide ? groups : (int)(groups * FirstShare(op));
            whole.Add(core == 0 ? new PrefillPart(last, 0, first, first == groups) : new PrefillPart(last, first, groups - first, false));
        }

        return [.. whole.Where(part => part.Groups > 0)];
    }

    /// <summary>Prior keys are seen by all queries alike, so their share of the work is divided evenly.</summary>
    private static double FirstShare(PrefillAttention op) =>
        op.Causal && !op.QueriesAnywhere && op.Window == 0 ? ((CausalShare * op.Keys) + (0.5 * op.PriorKeys)) / (op.Keys + op.PriorKeys) : 0.5;
}
