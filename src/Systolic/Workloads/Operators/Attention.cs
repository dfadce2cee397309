using System.Collections.Immutable;
using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Workloads;

/// <summary>Scaled dot-product attention over query and key/value heads, forward or backward.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Batch">Sequences.</param>
/// <param name="QueryHeads">Heads of the queries.</param>
/// <param name="KvHeads">Heads of the keys and values; fewer than the query heads under grouped-query attention.</param>
/// <param name="QueryTokens">Queries per sequence.</param>
/// <param name="KvTokens">Keys per sequence, the queries' own included.</param>
/// <param name="HeadDim">Features of a query and of a key per head.</param>
/// <param name="Causal">A query sees only keys up to its own position, positions aligned at the end.</param>
/// <param name="Backward">The gradients of q, k and v from that of the output.</param>
public sealed record Attention(string Name, long Batch, long QueryHeads, long KvHeads, long QueryTokens, long KvTokens, long HeadDim, bool Causal, bool Backward = false) : Operator(Name)
{
    /// <inheritdoc/>
    public override DataType Type { get; init; } = DataType.Bf16;

    /// <summary>Keys that a query sees under a causal mask, its own included (sliding window); all before it when null.</summary>
    public long? Window { get; init; }

    /// <summary>Bound of the scaled scores, cap x tanh(score / cap) (Gemma 2, arXiv 2408.00118); none when null.</summary>
    public double? SoftCap { get; init; }

    /// <summary>Features of a value and of a result per head; as many as of a key unless given, and no more.</summary>
    public long ValueDim
    {
        get => field == 0 ? HeadDim : field;
        init;
    }

    /// <summary>Of the features per head, those that lie in tensors of their own, where all heads share one key (multi-head latent attention, DeepSeek-V2, arXiv 2405.04434).</summary>
    public long SharedDim { get; init; }

    /// <summary>The values are the keys' features that are not shared: decoding from a cache of latent vectors.</summary>
    public bool ValuesInKeys { get; init; }

    /// <summary>Forward: also written, for the backward pass: of each query and head the negative logarithm of the sum of exponentials of its scores.</summary>
    public bool KeepsSums { get; init; }

    /// <inheritdoc/>
    public override string Kind => Backward ? "attention backward" : "attention";

    /// <summary>Query-key pairs of one head of one sequence; a causal mask leaves the lower triangle, a window a band of it.</summary>
    public long Pairs => Causal ? PairsUpTo(KvTokens) - PairsUpTo(KvTokens - QueryTokens) : checked(QueryTokens * KvTokens);

    /// <inheritdoc/>
    /// <remarks>Forward: QK and PV. Backward: dV, dP, dQ and dK; the scores' recomputation is not counted.</remarks>
    public override MacCount Macs => new(checked(Batch * QueryHeads * Pairs * (HeadDim + ValueDim) * (Backward ? 2 : 1)));

    /// <inheritdoc/>
    /// <remarks>Softmax: scale, subtract, exponential, sum, divide per pair; twice that for its backward. A soft cap: divide, tangent; backward: square, subtract, product.</remarks>
    public override long ElementOperations => checked(Batch * QueryHeads * Pairs * ((Backward ? 10 : 5) + (SoftCap is null ? 0 : Backward ? 5 : 2)));

    /// <inheritdoc/>
    public override string Describe() => FormattableString.Invariant($"b{Batch} h{QueryHeads}/{KvHeads} {QueryTokens}x{KvTokens} d{HeadDim}")
        + (ValueDim == HeadDim ? "" : FormattableString.Invariant($" v{ValueDim}"))
        + (Causal ? " causal" : "")
        + (Window is { } window ? FormattableString.Invariant($" window {window}") : "")
        + (SoftCap is null ? "" : " soft cap");

    /// <summary>Pairs of the first <paramref name="tokens"/> tokens with each other: token t sees t keys, or as many as the window.</summary>
    private long PairsUpTo(long tokens)
    {
        long below = Math.Min(tokens, Window ?? tokens);
        return checked((below * (below + 1) / 2) + ((tokens - below) * (Window ?? 0)));
    }

    private (Shape, DataType) Queries(long features) => (new Shape(Batch * QueryTokens, QueryHeads * features), Type);

    private (Shape, DataType) Keys(long heads, long features) => (new Shape(Batch * KvTokens, heads * features), Type);

    private (Shape, DataType) Sums => (new Shape(Batch * QueryTokens, QueryHeads), DataType.Fp32);

    private ImmutableArray<(Shape, DataType)> Operands()
    {
        long own = HeadDim - SharedDim;
        var operands = ImmutableArray.Create(Queries(own), Keys(KvHeads, own));
        operands = ValuesInKeys ? operands : operands.Add(Keys(KvHeads, ValueDim));
        return SharedDim == 0 ? operands : operands.Add(Queries(SharedDim)).Add(Keys(1, SharedDim));
    }

    /// <inheritdoc/>
    /// <remarks>Forward: q, k, v unless they are in the keys, and the parts of q and k with the shared features. Backward: those, output, gradient of the output, logarithms of sums.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() =>
        Backward ? Operands().Add(Queries(ValueDim)).Add(Queries(ValueDim)).Add(Sums) : Operands();

    /// <inheritdoc/>
    /// <remarks>Forward: output, and logarithms of sums where they are kept. Backward: gradients of the inputs.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => Backward ? Operands() : KeepsSums ? [Queries(ValueDim), Sums] : [Queries(ValueDim)];

    /// <inheritdoc/>
    protected override Operator Restrict(long share) => this with
    {
        QueryHeads = QueryHeads / Split.Units * share,
        KvHeads = Math.Max(1, (KvHeads * share + Split.Units - 1) / Split.Units),
    };
}
