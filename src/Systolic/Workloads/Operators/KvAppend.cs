using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>Appends the keys and values of new tokens to the cache.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">New tokens over all sequences.</param>
/// <param name="Columns">Key/value heads times head dimension.</param>
public sealed record KvAppend(string Name, long Rows, long Columns) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => "kv append";

    /// <inheritdoc/>
    /// <remarks>Keys, values.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => [Whole, Whole];

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => [Whole, Whole];
}
