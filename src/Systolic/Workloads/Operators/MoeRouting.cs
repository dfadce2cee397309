using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>Chooses the experts of each token: softmax over the router's scores and the largest <paramref name="TopK"/>.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">Tokens.</param>
/// <param name="Columns">Experts.</param>
/// <param name="TopK">Experts per token.</param>
/// <param name="Backward">The gradient of the scores from that of the chosen weights.</param>
public sealed record MoeRouting(string Name, long Rows, long Columns, long TopK, bool Backward = false) : RowOperator(Name, Rows, Columns)
{
    /// <summary>Copies that an expert takes; it takes the first ones in the order of the tokens, and the others are dropped.</summary>
    public long Capacity => Math.Max(1, Rows * TopK / Columns);

    /// <inheritdoc/>
    public override string Kind => Backward ? "moe routing backward" : "moe routing";

    /// <inheritdoc/>
    /// <remarks>Softmax (5 per score) and one scan of the scores per chosen expert; backward: the softmax again and its derivative (4).</remarks>
    public override long ElementOperations => checked(Rows * Columns * (Backward ? 9 : 5 + TopK));

    private (Shape, DataType) Weights => (new Shape(Rows, TopK), Type);

    private (Shape, DataType) Places => (new Shape(Rows, TopK), DataType.Int32);

    /// <inheritdoc/>
    /// <remarks>Forward: scores. Backward: gradient of the weights, scores, rows in expert order.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => Backward ? [Weights, Whole, Places] : [Whole];

    /// <inheritdoc/>
    /// <remarks>Forward: weights, and the row of each copy in expert order: expert x <see cref="Capacity"/> + earlier copies of the expert, or -1 of a copy that is dropped, whose weight is 0. Backward: gradient of the scores.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => Backward ? [Whole] : [Weights, Places];
}
