using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>Normalization of each row, forward or backward.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Function">RMS or layer normalization.</param>
/// <param name="Rows">Tokens.</param>
/// <param name="Columns">Features.</param>
/// <param name="Backward">Gradients of the input and of the scale (and shift) from that of the output.</param>
public sealed record Norm(string Name, NormFunction Function, long Rows, long Columns, bool Backward = false) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => Backward ? "norm backward" : "norm";

    /// <inheritdoc/>
    /// <remarks>RMS: square, sum, scale, gain. Layer: sum, subtract, square, sum, scale, gain, shift. Backward: twice.</remarks>
    public override long ElementOperations => checked(Rows * Columns * (Function == NormFunction.Rms ? 4 : 7) * (Backward ? 2 : 1));

    /// <summary>Vectors of parameters: the gain, and for layer normalization the shift.</summary>
    public int ParameterVectors => Function == NormFunction.Rms ? 1 : 2;

    /// <inheritdoc/>
    /// <remarks>Rows stay whole; the heads of a token are rows of their own.</remarks>
    protected override Operator Restrict(long share) => this with { Rows = Rows / Split.Units * share };

    /// <inheritdoc/>
    /// <remarks>Forward: x, parameters. Backward: gradient of the output, x, parameters.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes()
    {
        (Shape, DataType) parameters = (new Shape(ParameterVectors, Columns), Type);
        return Backward ? [Whole, Whole, parameters] : [Whole, parameters];
    }

    /// <inheritdoc/>
    /// <remarks>Forward: y. Backward: gradient of x, gradient of the parameters.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() =>
        Backward ? [Whole, (new Shape(ParameterVectors, Columns), Type)] : [Whole];
}
