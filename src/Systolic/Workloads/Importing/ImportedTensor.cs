using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>Where an imported tensor comes from.</summary>
internal enum TensorOrigin
{
    /// <summary>A node computes it.</summary>
    Computed,

    /// <summary>It enters the computation from outside.</summary>
    Input,

    /// <summary>It is given with the computation.</summary>
    Weight,

    /// <summary>Keys or values of all tokens so far.</summary>
    Cache,
}

/// <summary>A tensor of an imported computation.</summary>
internal sealed class ImportedTensor(string name, ImmutableArray<long> dimensions, DataType? type, TensorOrigin origin)
{
    /// <summary>Unique in its computation.</summary>
    public string Name => name;

    /// <summary>Extents; empty for a scalar.</summary>
    public ImmutableArray<long> Dimensions => dimensions;

    /// <summary>Element type; null for integers and truth values, which steer the computation and cost nothing.</summary>
    public DataType? Type => type;

    /// <summary>Where it comes from.</summary>
    public TensorOrigin Origin => origin;

    /// <summary>The node that computes it.</summary>
    public ImportedNode? Producer { get; set; }

    /// <summary>The nodes that read it.</summary>
    public List<ImportedNode> Readers { get; } = [];

    /// <summary>It leaves the computation.</summary>
    public bool IsOutput { get; set; }

    /// <summary>The value of all its elements, of a constant that has one.</summary>
    public double? Value { get; init; }

    /// <summary>Its elements, of a short list of integers that is known.</summary>
    public ImmutableArray<long>? Integers { get; init; }

    /// <summary>Its elements count positions.</summary>
    public bool Ordinal { get; init; }

    /// <summary>It hides later positions from earlier ones.</summary>
    public bool Causal { get; init; }

    /// <summary>It follows from weights, constants and integers alone: known before the run, so computing it costs nothing.</summary>
    public bool Known { get; init; }

    /// <summary>Number of elements.</summary>
    public long Elements => Dimensions.Aggregate(1L, (product, extent) => checked(product * extent));

    /// <summary>The last extent.</summary>
    public long Columns => Dimensions.IsEmpty ? 1 : Dimensions[^1];

    /// <summary>All extents but the last.</summary>
    public long Rows => Columns == 0 ? 0 : Elements / Columns;

    /// <summary>A vector of parameters over <paramref name="columns"/>.</summary>
    public bool IsVector(long columns) => Known && Type is not null && Elements == columns && columns > 1;
}
