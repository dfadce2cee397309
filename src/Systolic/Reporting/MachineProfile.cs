using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>A parameter of a machine that no source documents.</summary>
/// <param name="Parameter">Path in the machine file, such as "dma.completionLatency".</param>
/// <param name="Reason">Where the value comes from instead.</param>
public sealed record Assumption(string Parameter, string Reason);

/// <summary>What a report must know of a machine to derive its figures from a trace.</summary>
public sealed record MachineProfile
{
    /// <summary>The machine's name, such as "trn2".</summary>
    public required string Name { get; init; }

    /// <summary>The clock in which total cycles are given: the matrix unit's.</summary>
    public required Clock Clock { get; init; }

    /// <summary>The engine whose busy share is the tensor utilization, one of <see cref="RunTrace.Engines"/>.</summary>
    public required string MatrixEngine { get; init; }

    /// <summary>Peak multiply-accumulates per second of each matrix type, dense.</summary>
    public required IReadOnlyDictionary<DataType, double> PeakMacsPerSecond { get; init; }

    /// <summary>Peak bandwidth of main memory.</summary>
    public required Bandwidth MainMemory { get; init; }

    /// <summary>Capacity of main memory.</summary>
    public required Bytes MainMemoryCapacity { get; init; }

    /// <summary>Prices of activity.</summary>
    public required EnergyModel Energy { get; init; }

    /// <summary>Die area by component; null where nothing is known of it.</summary>
    public AreaBreakdown? Area { get; init; }

    /// <summary>Parameters without a source, which every report repeats.</summary>
    public required ImmutableArray<Assumption> Assumptions { get; init; }
}
