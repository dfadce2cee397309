using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>One AdamW step over a set of parameters (Loshchilov and Hutter 2019), with fp32 moments and an fp32 master copy.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">Rows of the parameter set.</param>
/// <param name="Columns">Columns of the parameter set.</param>
public sealed record AdamW(string Name, long Rows, long Columns) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => "adamw";

    /// <inheritdoc/>
    /// <remarks>Two moment updates (3 each), root, divide, decay, step, bias corrections: 12.</remarks>
    public override long ElementOperations => checked(Rows * Columns * 12);

    private (Shape, DataType) State => (new Shape(Rows, Columns), DataType.Fp32);

    /// <inheritdoc/>
    /// <remarks>Gradient, master weights, first moment, second moment.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => [Whole, State, State, State];

    /// <inheritdoc/>
    /// <remarks>Weights, master weights, first moment, second moment.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => [Whole, State, State, State];
}
