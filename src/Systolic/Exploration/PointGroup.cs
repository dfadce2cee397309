using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Units;

namespace Systolic.Exploration;

/// <summary>Runs points that share what is the same between them: mappings that were tried and programs that were simulated. For one thread.</summary>
internal sealed class PointGroup(DesignSpace space, CancellationToken cancellation)
{
    private readonly RunOptions _options = new() { Mappings = new MatMulMappings(), Shared = new SharedSimulations() };
    private Accelerator? _first;

    /// <summary>Runs points that differ only in the size of SBUF (<see cref="DesignSpace.GroupOf"/>).</summary>
    public void Run(IEnumerable<long> points, Action<long, PointOutcome> finished)
    {
        foreach (long point in points)
        {
            finished(point, Run(space[point]));
        }
    }

    /// <summary>An exception that says that this point cannot be run, not that something is wrong with the program.</summary>
    public static bool IsOfPoint(Exception exception) => exception is InvalidDocumentException or CapacityException or ArgumentException or OverflowException or KeyNotFoundException;

    private PointOutcome Run(DesignPoint point)
    {
        try
        {
            RunReport report = Share(point.Machine()).Run(point.Workload(), _options, null, cancellation);
            return new PointOutcome(
                null,
                [.. SweepFigures.All.Select(figure => figure.Of(report))],
                [.. Enum.GetValues<CycleComponent>().Select(component => report.CycleStack[component].Value)]);
        }
        catch (Exception refused) when (IsOfPoint(refused))
        {
            return PointOutcome.None(refused.Message.Split('\n')[0].Split(" (Parameter ")[0]);
        }
    }

    /// <summary>The machine with the lists of the first one, so that machines compare equal but for SBUF.</summary>
    private IMachine Share(IMachine machine)
    {
        if (machine is not SystolicMachine { Accelerator: var own })
        {
            return machine;
        }

        _first ??= own;
        return new SystolicMachine(_first with { Sbuf = _first.Sbuf with { PartitionSize = own.Sbuf.PartitionSize } });
    }
}
