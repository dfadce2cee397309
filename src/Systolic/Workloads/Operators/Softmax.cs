using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>Softmax over each row, forward or backward.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Elements that share one denominator.</param>
/// <param name="Backward">The gradient of the input from the output and its gradient.</param>
public sealed record Softmax(string Name, long Rows, long Columns, bool Backward = false) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => Backward ? "softmax backward" : "softmax";

    /// <inheritdoc/>
    /// <remarks>Forward: max, subtract, exponential, sum, divide. Backward: product, sum, subtract, product.</remarks>
    public override long ElementOperations => checked(Rows * Columns * (Backward ? 4 : 5));

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => Backward ? [Whole, Whole] : [Whole];

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => [Whole];
}
