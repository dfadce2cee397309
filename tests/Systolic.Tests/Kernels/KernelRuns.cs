using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Simulation;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Kernels;

/// <summary>All passes of one lowered operator, summed.</summary>
internal sealed record KernelRun(SimTime Time, ActivityCounts Counts, string Mapping, int LongestProgram)
{
    public long Read => Counts[ActivityKind.DramReadByte];

    public long Written => Counts[ActivityKind.DramWriteByte];
}

/// <summary>Lowers and simulates operators for the tests of the kernels, checking what must hold for every program.</summary>
internal static class KernelRuns
{
    public static readonly Accelerator[] Machines = [.. new[] { "trn1-core", "trn2-core", "trn3-core" }.Select(MachinePresets.Accelerator)];

    public static TheoryData<string> MachineNames => [.. Machines.Select(machine => machine.Name)];

    public static Accelerator Machine(string name) => Machines.Single(machine => machine.Name == name);

    /// <summary>Runs every pass once; fails on a hazard, an engine busier than the time, a stack that does not sum, or a time below the bandwidth bound.</summary>
    public static KernelRun Run(Operator op, Accelerator machine)
    {
        Lowering lowering = Lower(op, machine);
        var counts = new ActivityCounts();
        (SimTime total, int longest) = (SimTime.Zero, 0);
        foreach (LoweredPass pass in lowering.Passes)
        {
            (CoreRun run, StreamState[] streams) = Simulator.RunWithTimes(pass.Program, machine);
            HazardChecker.Find(pass.Program, streams).Should().BeNull();
            run.Busy.Should().OnlyContain(busy => busy <= run.Time);
            run.Stack.Total.Should().Be(run.Time);
            run.Time.Should().BeGreaterThanOrEqualTo(machine.MemoryPerCore.TimeFor(new Bytes(run.Counts.DramBytes)));
            pass.Program.BytesPerPartition(Systolic.Programs.MemorySpace.Sbuf).Should().BeLessThanOrEqualTo(machine.Sbuf.PartitionSize.Value);
            pass.Program.BytesPerPartition(Systolic.Programs.MemorySpace.Psum).Should().BeLessThanOrEqualTo(machine.Psum.PartitionSize.Value);
            counts.Add(run.Counts, pass.Repeat);
            total += run.Time * pass.Repeat;
            longest = Math.Max(longest, pass.Program.Length);
        }

        return new KernelRun(total, counts, lowering.Mapping, longest);
    }

    /// <summary>The operator's programs with the views of each instruction, where its kernel says them.</summary>
    public static Lowering Lower(Operator op, Accelerator machine)
    {
        try
        {
            return KernelLibrary.Lower(op, machine, values: true);
        }
        catch (NotSupportedException)
        {
            return KernelLibrary.Lower(op, machine);
        }
    }

    public static long ReadBytes(Operator op) => op.Reads.Sum(tensor => tensor.Size.Value);

    public static long WrittenBytes(Operator op) => op.Writes.Sum(tensor => tensor.Size.Value);
}
