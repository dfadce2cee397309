using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>An elementwise function, forward or backward.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Function">What is computed.</param>
/// <param name="Rows">Tokens.</param>
/// <param name="Columns">Features.</param>
/// <param name="Backward">Gradients of the inputs from that of the output.</param>
public sealed record Elementwise(string Name, ElementwiseFunction Function, long Rows, long Columns, bool Backward = false) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => Backward ? "elementwise backward" : "elementwise";

    /// <summary>The function takes two matrices.</summary>
    public bool Binary => Function is ElementwiseFunction.Add or ElementwiseFunction.Multiply || Gated;

    /// <summary>The function multiplies an activation by a second input.</summary>
    public bool Gated => Function is ElementwiseFunction.GatedRelu or ElementwiseFunction.GatedGelu or ElementwiseFunction.GatedSilu;

    /// <inheritdoc/>
    /// <remarks>One per function and one per product; backward: the derivative and one product per gradient.</remarks>
    public override long ElementOperations => checked(Rows * Columns * ((Gated ? 2 : 1) + (Backward ? (Gated ? 3 : 1) : 0)));

    /// <inheritdoc/>
    /// <remarks>Forward: a, and b. Backward: gradient of the output, a, and b.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => (Binary, Backward) switch
    {
        (false, false) => [Whole],
        (true, true) => [Whole, Whole, Whole],
        _ => [Whole, Whole],
    };

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => Binary && Backward ? [Whole, Whole] : [Whole];
}
