using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>How a computation written by another tool becomes a workload.</summary>
public sealed record ImportOptions
{
    /// <summary>The file's own types; nothing is symbolic; what is not built is refused.</summary>
    public static ImportOptions Default { get; } = new();

    /// <summary>Values of symbolic dimensions, such as "batch" and "seq".</summary>
    public ImmutableSortedDictionary<string, long> Dimensions { get; init; } = ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal);

    /// <summary>Operators that are not built pass their first input on at no cost.</summary>
    public bool SkipUnsupported { get; init; }

    /// <summary>Element type of every tensor of real numbers; as in the file when null.</summary>
    public DataType? Type { get; init; }
}
