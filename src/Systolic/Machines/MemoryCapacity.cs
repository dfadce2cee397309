using Systolic.Accounting;
using Systolic.Reporting;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Machines;

/// <summary>Holds what a workload needs of main memory against its capacity.</summary>
internal static class MemoryCapacity
{
    /// <summary>What the workload holds.</summary>
    /// <exception cref="CapacityException">It is more than the capacity, and <paramref name="options"/> does not ignore that.</exception>
    public static MemoryFootprint Require(OperatorGraph graph, MachineProfile machine, RunOptions? options) => Require(graph, graph.Memory, machine, options);

    /// <summary>As above, of one chip of several.</summary>
    public static MemoryFootprint Require(OperatorGraph graph, MemoryFootprint memory, MachineProfile machine, RunOptions? options)
    {
        Bytes capacity = machine.MainMemoryCapacity;
        if (memory.Total <= capacity || options?.IgnoreCapacity == true)
        {
            return memory;
        }

        string parts = string.Join(", ", memory.Parts.Where(part => part.Size > Bytes.Zero).Select(part => $"{part.Name} {Gibibytes(part.Size)}"));
        long machines = ((memory.Total.Value - 1) / capacity.Value) + 1;
        throw new CapacityException(FormattableString.Invariant(
            $"{machine.Name}: {graph.Name}, {graph.Phase}: found {Gibibytes(memory.Total)} to hold in main memory ({parts}), expected at most {Gibibytes(capacity)}: {Gibibytes(memory.Total - capacity)} too much. Evenly divided, {machines} of {machine.Name} would hold it. Reduce batch or tokens, run one layer, or ignore the capacity (run --ignore-capacity, RunOptions.IgnoreCapacity)."));
    }

    private static string Gibibytes(Bytes size) => FormattableString.Invariant($"{size.Value / (double)(1 << 30):N3} GiB");
}
