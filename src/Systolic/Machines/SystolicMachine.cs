using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Reporting;
using Systolic.Simulation;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Machines;

/// <summary>A systolic accelerator: each operator is divided over the cores, lowered by its kernel and simulated.</summary>
/// <remarks>
/// The operators of a section overlap where data and memories allow: their programs are linked (<see cref="ProgramLinker"/>) and simulated as one, together
/// on all cores that differ. A section starts with all cores idle and nothing in their scratchpads, so its repeats take equally long and are multiplied.
/// An operator takes what it adds to the critical path.
/// </remarks>
public sealed class SystolicMachine : IMachine
{
    /// <summary>A machine of this configuration.</summary>
    public SystolicMachine(Accelerator accelerator)
    {
        ArgumentNullException.ThrowIfNull(accelerator);
        Accelerator = Timing = accelerator;
        Profile = CreateProfile(accelerator);
    }

    /// <summary>The hardware configuration.</summary>
    public Accelerator Accelerator { get; }

    /// <summary>The mappings chosen so far.</summary>
    internal MatMulMappings Mappings { get; init; } = new();

    /// <summary>The configuration that times the programs written for <see cref="Accelerator"/>; another one only to ask what if.</summary>
    internal Accelerator Timing { get; init; }

    /// <inheritdoc/>
    public MachineProfile Profile { get; }

    /// <inheritdoc/>
    public LinkFabric? Links => Accelerator.Links;

    /// <inheritdoc/>
    public RunReport Run(OperatorGraph graph, RunOptions? options = null, IProgress<RunProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(graph);
        options ??= RunOptions.Default;
        MemoryFootprint memory = MemoryCapacity.Require(graph, Profile, options);
        ShardedGraph sharded = TensorParallel.Shard(graph, Accelerator.Cores);
        int total = sharded.Sections.Sum(section => section.Operators.Length);
        var kept = graph.Sections.SelectMany(section => section.Inputs).Select(tensor => tensor.Operand.Name).ToHashSet();
        var session = new SystolicSession(Accelerator, Timing, options.Mappings ?? Mappings, options, kept, run => progress?.Report(new RunProgress(run.Done, total, run.Name)), cancellation);
        var now = SimTime.Zero;
        foreach (ShardedSection section in sharded.Sections)
        {
            now += session.Run(section, now) * section.Repeat;
        }

        ImmutableArray<OperatorRun> runs = session.Runs;
        SimTime start = Timing.Synchronization.Overhead(session.DescribesAtRunTime);
        var overhead = new CycleStack();
        overhead.Add(CycleComponent.Launch, start);
        SimTime arithmetic = runs.Aggregate(SimTime.Zero, (sum, run) => sum + (run.Bound.Arithmetic * run.Repeat));
        var trace = new RunTrace
        {
            Engines = [.. Simulator.Engines.Select(name => new EngineInfo(name, Accelerator.Cores))],
            Operators = runs,
            Overhead = overhead,
            Bound = new LowerBound(arithmetic, Accelerator.Memory.Bandwidth.TimeFor(graph.CompulsoryBytes)),
            Spans = [.. session.Spans.Select(span => span with { Start = start + span.Start })],
        };
        return RunReport.From(Profile, trace, graph.Name, graph.Phase, graph.Tokens, options.Prices) with { Memory = memory };
    }

    private static MachineProfile CreateProfile(Accelerator machine) => new()
    {
        Name = machine.Name,
        Clock = new Clock(machine.TensorEngine.Clock),
        MatrixEngine = Simulator.Engines[0],
        PeakMacsPerSecond = Enum.GetValues<DataType>().ToDictionary(type => type, machine.PeakMacsPerSecond),
        MainMemory = machine.Memory.Bandwidth,
        MainMemoryCapacity = machine.Memory.Capacity,
        Energy = machine.Energy,
        Area = AreaOf(machine),
        Assumptions = machine.Assumptions,
    };

    private static AreaBreakdown? AreaOf(Accelerator machine)
    {
        const double GpSimdLanes = 128;
        double vectorLanes = machine.VectorEngine.Lanes * (machine.VectorEngine.Registers?.ElementsPerLane ?? 1);
        TensorEngineSpec array = machine.TensorEngine;
        double memory = (machine.Sbuf.Partitions * machine.Sbuf.PartitionSize.Value) + (machine.Psum.Partitions * machine.Psum.PartitionSize.Value);
        return AreaTable.Of(
            machine.Energy.NodeNanometres,
            (AreaTable.Array, (double)machine.Cores * array.Arrays * array.Rows * array.Columns),
            (AreaTable.Memory, machine.Cores * memory / (1 << 20)),
            (AreaTable.Lanes, machine.Cores * (vectorLanes + machine.ScalarEngine.Lanes + GpSimdLanes)),
            (AreaTable.Interface, machine.Memory.Stacks),
            (AreaTable.Controllers, machine.Memory.Stacks));
    }
}
