using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>Rows of a table selected by index, or their gradient added back into the table's gradient.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">Tokens.</param>
/// <param name="Columns">Features.</param>
/// <param name="TableRows">Rows of the table, such as the vocabulary.</param>
/// <param name="Backward">Scatter-add of gradients instead of the gather.</param>
public sealed record Embedding(string Name, long Rows, long Columns, long TableRows, bool Backward = false) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => Backward ? "embedding backward" : "embedding";

    /// <inheritdoc/>
    public override long ElementOperations => Backward ? checked(Rows * Columns) : 0;

    /// <inheritdoc/>
    /// <remarks>Forward: the selected rows, indices. Backward: gradient of the output, the touched rows of the table's gradient, indices.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes()
    {
        (Shape, DataType) indices = (new Shape(Rows, 1), DataType.Int32);
        return Backward ? [Whole, Whole, indices] : [Whole, indices];
    }

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => [Whole];
}
