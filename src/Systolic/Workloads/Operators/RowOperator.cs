using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>An operator that works on the rows of a matrix independently of each other.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">Rows; tokens, for an activation.</param>
/// <param name="Columns">Columns; features, for an activation.</param>
public abstract record RowOperator(string Name, long Rows, long Columns) : Operator(Name)
{
    /// <inheritdoc/>
    public override DataType Type { get; init; } = DataType.Bf16;

    /// <inheritdoc/>
    public override string Describe() => FormattableString.Invariant($"{Rows}x{Columns}");

    /// <summary>The whole matrix in the main type.</summary>
    protected (Shape Shape, DataType Type) Whole => (new Shape(Rows, Columns), Type);

    /// <summary>One vector over the columns in the main type.</summary>
    protected (Shape Shape, DataType Type) Vector => (new Shape(1, Columns), Type);

    /// <inheritdoc/>
    /// <remarks>Independent matrices, such as those of experts, lie one below the other.</remarks>
    protected override Operator Restrict(long share) => Split.Axis is SplitAxis.Rows or SplitAxis.Batch
        ? this with { Rows = Rows / Split.Units * share }
        : this with { Columns = Columns / Split.Units * share };
}
