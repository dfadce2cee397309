using Systolic.Accounting;
using Systolic.Components;
using Systolic.Reporting;
using Systolic.Workloads;

namespace Systolic.Machines;

/// <summary>What to record beside the figures that every run reports.</summary>
public sealed record RunOptions
{
    /// <summary>The defaults.</summary>
    public static RunOptions Default { get; } = new();

    /// <summary>Record a span per instruction and transfer for a trace.</summary>
    public bool CollectSpans { get; init; }

    /// <summary>Operators of a section overlap where data and memories allow; otherwise each starts when all cores are done with the one before. No difference on a SIMT machine, which runs one kernel after the other.</summary>
    public bool Overlap { get; init; } = true;

    /// <summary>Run a workload that main memory cannot hold, as if it could.</summary>
    public bool IgnoreCapacity { get; init; }

    /// <summary>How products are cut on a systolic machine: pinned and chosen mappings, to which this run's are added; when null, the machine keeps its own.</summary>
    public MatMulMappings? Mappings { get; init; }

    /// <summary>Energy per activity; the shipped table when null.</summary>
    public EnergyReferenceTable? Prices { get; init; }

    /// <summary>Simulations of linked programs that runs share; null for none.</summary>
    internal SharedSimulations? Shared { get; init; }
}

/// <summary>How far a run has come.</summary>
/// <param name="Done">Operators finished.</param>
/// <param name="Total">Operators in the graph, repeats not counted.</param>
/// <param name="Current">The operator in progress.</param>
public readonly record struct RunProgress(int Done, int Total, string Current);

/// <summary>A machine that runs workloads: a systolic accelerator or a SIMT baseline.</summary>
public interface IMachine
{
    /// <summary>What a report must know of the machine.</summary>
    MachineProfile Profile { get; }

    /// <summary>Links to other chips of the kind; null for none.</summary>
    LinkFabric? Links => null;

    /// <summary>Simulates <paramref name="graph"/> and reports time, cycles, utilization, traffic and energy.</summary>
    /// <param name="graph">The workload.</param>
    /// <param name="options">What to record; the defaults when null.</param>
    /// <param name="progress">Told after each operator.</param>
    /// <param name="cancellation">Stops between operators and within long programs.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="CapacityException">Main memory cannot hold the workload, or an operator cannot be placed on the machine.</exception>
    RunReport Run(OperatorGraph graph, RunOptions? options = null, IProgress<RunProgress>? progress = null, CancellationToken cancellation = default);
}
