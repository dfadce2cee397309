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
/// <param name="HeadDim">Features per head.</param>
/// <param name="Causal">A query sees only keys up to its own position, positions aligned at the end.</param>
/// <param name="Backward">The gradients of q, k and v from that of the output.</param>
public sealed record Attention(string Name, long Batch, long QueryHeads, long KvHeads, long QueryTokens, long KvTokens, long HeadDim, bool Causal, bool Backward = false) : Operator(Name)
{
    /// <inheritdoc/>
    public override DataType Type { get; init; } = DataType.Bf16;

    /// <inheritdoc/>
    public override string Kind => Backward ? "attention backward" : "attention";

    /// <summary>Query-key pairs of one head of one sequence; a causal mask leaves the lower triangle.</summary>
    public long Pairs => checked(Causal
        ? (QueryTokens * KvTokens) - (QueryTokens * (QueryTokens - 1) / 2)
        : QueryTokens * KvTokens);

    /// <inheritdoc/>
    /// <remarks>Forward: QK and PV. Backward: dV, dP, dQ and dK; the scores' recomputation is not counted.</remarks>
    public override MacCount Macs => new(checked(Batch * QueryHeads * Pairs * HeadDim * (Backward ? 4 : 2)));

    /// <inheritdoc/>
    /// <remarks>Softmax: scale, subtract, exponential, sum, divide per pair; twice that for its backward.</remarks>
    public override long ElementOperations => checked(Batch * QueryHeads * Pairs * (Backward ? 10 : 5));

    /// <inheritdoc/>
    public override string Describe() =>
        FormattableString.Invariant($"b{Batch} h{QueryHeads}/{KvHeads} {QueryTokens}x{KvTokens} d{HeadDim}{(Causal ? " causal" : "")}");

    private Shape QueryShape => new(Batch * QueryTokens, QueryHeads * HeadDim);

    private Shape KvShape => new(Batch * KvTokens, KvHeads * HeadDim);

    /// <inheritdoc/>
    /// <remarks>Forward: q, k, v. Backward: q, k, v, output, gradient of the output.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => Backward
        ? [(QueryShape, Type), (KvShape, Type), (KvShape, Type), (QueryShape, Type), (QueryShape, Type)]
        : [(QueryShape, Type), (KvShape, Type), (KvShape, Type)];

    /// <inheritdoc/>
    /// <remarks>Forward: output. Backward: gradients of q, k, v.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => Backward
        ? [(QueryShape, Type), (KvShape, Type), (KvShape, Type)]
        : [(QueryShape, Type)];

    /// <inheritdoc/>
    protected override Operator Restrict(long share) => this with
    {
        QueryHeads = QueryHeads / Split.Units * share,
        KvHeads = Math.Max(1, (KvHeads * share + Split.Units - 1) / Split.Units),
    };
}
