using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>An exchange between tensor-parallel ranks.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Function">Which exchange.</param>
/// <param name="Rows">Rows of the whole matrix.</param>
/// <param name="Columns">Columns.</param>
/// <param name="Ranks">Participants.</param>
public sealed record Collective(string Name, CollectiveFunction Function, long Rows, long Columns, int Ranks) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => Function switch
    {
        CollectiveFunction.AllGather => "all-gather",
        CollectiveFunction.ReduceScatter => "reduce-scatter",
        CollectiveFunction.AllToAll => "all-to-all",
        _ => "all-reduce",
    };

    /// <inheritdoc/>
    public override long ElementOperations => Function is CollectiveFunction.AllGather or CollectiveFunction.AllToAll ? 0 : checked(Rows * Columns * (Ranks - 1));

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => [Whole];

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => [Whole];
}
