using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>Cross-entropy of the logits against labels: the loss per token and the gradient of the logits in one pass.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">Tokens.</param>
/// <param name="Columns">Vocabulary.</param>
public sealed record CrossEntropy(string Name, long Rows, long Columns) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => "cross entropy";

    /// <inheritdoc/>
    /// <remarks>Max, subtract, exponential, sum, scale, subtract the label.</remarks>
    public override long ElementOperations => checked(Rows * Columns * 6);

    /// <inheritdoc/>
    /// <remarks>Logits, labels.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => [Whole, (new Shape(Rows, 1), DataType.Int32)];

    /// <inheritdoc/>
    /// <remarks>Gradient of the logits, loss per token.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => [Whole, (new Shape(Rows, 1), DataType.Fp32)];
}
