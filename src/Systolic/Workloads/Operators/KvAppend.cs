using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>Appends the keys and values of new tokens to the cache.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">New tokens over all sequences.</param>
/// <param name="Columns">Key/value heads times head dimension.</param>
public sealed record KvAppend(string Name, long Rows, long Columns) : RowOperator(Name, Rows, Columns)
{
    /// <summary>Features of a token's values; as many as of its keys unless given.</summary>
    public long ValueColumns
    {
        get => field == 0 ? Columns : field;
        init;
    }

    /// <inheritdoc/>
    protected override Operator Restrict(long share) => ValueColumns == Columns || Split.Axis is SplitAxis.Rows or SplitAxis.Batch
        ? base.Restrict(share)
        : this with { Columns = Columns / Split.Units * share, ValueColumns = ValueColumns / Split.Units * share };

    private ImmutableArray<(Shape, DataType)> KeysAndValues => [Whole, (new Shape(Rows, ValueColumns), Type)];

    /// <inheritdoc/>
    public override string Kind => "kv append";

    /// <inheritdoc/>
    /// <remarks>Keys, values.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => KeysAndValues;

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => KeysAndValues;
}
