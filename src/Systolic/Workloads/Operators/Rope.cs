using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>Rotary position embedding of queries or keys; the backward pass rotates the other way at equal cost (Su et al. 2021).</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">Tokens.</param>
/// <param name="Columns">Heads times <paramref name="HeadDim"/>.</param>
/// <param name="HeadDim">Features per head; the sine and cosine tables have this many columns together.</param>
public sealed record Rope(string Name, long Rows, long Columns, long HeadDim) : RowOperator(Name, Rows, Columns)
{
    /// <summary>Rotates by the opposite angles: the gradient.</summary>
    public bool Backward { get; init; }

    /// <inheritdoc/>
    public override string Kind => "rope";

    /// <inheritdoc/>
    /// <remarks>Per element two products and one sum.</remarks>
    public override long ElementOperations => checked(Rows * Columns * 3);

    /// <inheritdoc/>
    /// <remarks>x, and the sine/cosine table (tokens x head dimension).</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => [Whole, (new Shape(Rows, HeadDim), Type)];

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => [Whole];
}
