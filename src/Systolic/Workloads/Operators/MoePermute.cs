using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>Moves token rows between token order and expert order.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">Tokens.</param>
/// <param name="Columns">Features.</param>
/// <param name="TopK">Copies of each token, one per chosen expert.</param>
/// <param name="Combine">From expert order back: the weighted sum of a token's copies. Otherwise the copies are made.</param>
/// <param name="Backward">Gradients: of the copies and the weights when combining, of the tokens otherwise.</param>
public sealed record MoePermute(string Name, long Rows, long Columns, long TopK, bool Combine, bool Backward = false) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => (Combine ? "moe combine" : "moe dispatch") + (Backward ? " backward" : "");

    /// <inheritdoc/>
    /// <remarks>Combine: a product and a sum per copy; backward: a product for the copy, a product and a sum for its weight. Dispatch: nothing; backward: a sum per copy.</remarks>
    public override long ElementOperations => checked(Rows * Columns * TopK * ((Combine ? 2 : 0) + (Backward ? 1 : 0)));

    private (Shape, DataType) Copies => (new Shape(checked(Rows * TopK), Columns), Type);

    private (Shape, DataType) Weights => (new Shape(Rows, TopK), Type);

    private (Shape, DataType) Indices => (new Shape(Rows, TopK), DataType.Int32);

    /// <inheritdoc/>
    /// <remarks>Forward: the rows, indices, and when combining the weights. Backward: gradient of the output, indices, and when combining the weights and the copies.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => (Combine, Backward) switch
    {
        (true, true) => [Whole, Indices, Weights, Copies],
        (true, false) => [Copies, Indices, Weights],
        (false, true) => [Copies, Indices],
        _ => [Whole, Indices],
    };

    /// <inheritdoc/>
    /// <remarks>Forward: the moved rows. Backward: gradient of the rows read, and when combining that of the weights.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => (Combine, Backward) switch
    {
        (true, true) => [Copies, Weights],
        (true, false) or (false, true) => [Whole],
        _ => [Copies],
    };
}
