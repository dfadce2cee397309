using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Reporting;
using Systolic.Simulation;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Machines;

/// <summary>A systolic accelerator: each operator is divided over the cores, lowered by its kernel and simulated.</summary>
/// <remarks>
/// Operators run one after the other; within one, transfers and engines overlap. Equal operators are simulated once, which is exact because
/// each starts with all cores idle and nothing in their scratchpads. An operator takes as long as its slowest core.
/// </remarks>
public sealed class SystolicMachine : IMachine
{
    /// <summary>A machine of this configuration.</summary>
    public SystolicMachine(Accelerator accelerator)
    {
        ArgumentNullException.ThrowIfNull(accelerator);
        Accelerator = accelerator;
        Profile = CreateProfile(accelerator);
    }

    /// <summary>The hardware configuration.</summary>
    public Accelerator Accelerator { get; }

    /// <inheritdoc/>
    public MachineProfile Profile { get; }

    /// <inheritdoc/>
    public RunReport Run(OperatorGraph graph, RunOptions? options = null, IProgress<RunProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var session = new Session(Accelerator, (options ?? RunOptions.Default).CollectSpans, cancellation);
        ShardedGraph sharded = TensorParallel.Shard(graph, Accelerator.Cores);
        int total = sharded.Sections.Sum(section => section.Operators.Length);
        var runs = ImmutableArray.CreateBuilder<OperatorRun>(total);
        var now = SimTime.Zero;
        foreach (ShardedSection section in sharded.Sections)
        {
            SimTime begin = now;
            foreach (ShardedOperator op in section.Operators)
            {
                runs.Add(session.Run(section, op, now));
                now += runs[^1].Time;
                progress?.Report(new RunProgress(runs.Count, total, runs[^1].Name));
            }

            now = begin + ((now - begin) * section.Repeat);
        }

        SimTime start = Accelerator.Synchronization.Overhead(session.DescribesAtRunTime);
        var overhead = new CycleStack();
        overhead.Add(CycleComponent.Launch, start);
        SimTime arithmetic = runs.Aggregate(SimTime.Zero, (sum, run) => sum + (run.Bound.Arithmetic * run.Repeat));
        var trace = new RunTrace
        {
            Engines = [.. Simulator.Engines.Select(name => new EngineInfo(name, Accelerator.Cores))],
            Operators = runs.MoveToImmutable(),
            Overhead = overhead,
            Bound = new LowerBound(arithmetic, Accelerator.Memory.Bandwidth.TimeFor(graph.CompulsoryBytes)),
            Spans = [.. session.Spans.Select(span => span with { Start = start + span.Start })],
        };
        return RunReport.From(Profile, trace, graph.Name, graph.Phase, graph.Tokens, options?.Prices);
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

    /// <summary>What one core did for one operator, over all its passes.</summary>
    private sealed record Priced(SimTime Time, ActivityCounts Counts, ImmutableArray<SimTime> Busy, CycleStack Stack, ImmutableArray<Span> Spans, string Mapping, Bytes HighWater, ImmutableArray<BufferUse> Buffers);

    /// <summary>One run: remembers the operators simulated so far.</summary>
    private sealed class Session(Accelerator machine, bool collectSpans, CancellationToken cancellation)
    {
        private readonly Dictionary<Operator, Priced> _priced = [];

        /// <summary>A program had descriptors of transfers written at run time.</summary>
        public bool DescribesAtRunTime { get; private set; }

        /// <summary>Spans of the first execution of each operator on its slowest core.</summary>
        public List<Span> Spans { get; } = [];

        public OperatorRun Run(ShardedSection section, ShardedOperator op, SimTime start)
        {
            Priced slowest = Idle;
            var counts = new ActivityCounts();
            var busy = new SimTime[Simulator.Engines.Length];
            foreach (IGrouping<Operator, Operator> ranks in op.Ranks.OfType<Operator>().GroupBy(rank => rank.Signature))
            {
                Priced priced = Price(ranks.First());
                counts.Add(priced.Counts, ranks.Count());
                for (int i = 0; i < busy.Length; i++)
                {
                    busy[i] += priced.Busy[i] * ranks.Count();
                }

                slowest = priced.Time > slowest.Time ? priced : slowest;
            }

            Spans.AddRange(slowest.Spans.Select(span => span with { Start = start + span.Start }));
            return new OperatorRun
            {
                Name = GraphSection.Qualify(section.Name, op.Whole.Name),
                Kind = op.Whole.Kind,
                Shape = op.Whole.Describe(),
                Repeat = section.Repeat,
                Mapping = slowest.Mapping,
                Time = slowest.Time,
                UsefulMacs = op.Whole.Macs,
                Bound = Bound(op.Whole),
                Counts = counts,
                Stack = slowest.Stack,
                Busy = [.. busy],
                ScratchpadHighWater = slowest.HighWater,
                Buffers = slowest.Buffers,
            };
        }

        private static Priced Idle { get; } = new(SimTime.Zero, new ActivityCounts(), [.. new SimTime[Simulator.Engines.Length]], new CycleStack(), [], "idle", Bytes.Zero, []);

        private LowerBound Bound(Operator op)
        {
            SimTime arithmetic = SimTime.FromSeconds(op.Macs.Value / machine.PeakMacsPerSecond(op.Type));
            return new LowerBound(arithmetic, machine.Memory.Bandwidth.TimeFor(OperatorGraph.Of(op).CompulsoryBytes));
        }

        private Priced Price(Operator op)
        {
            if (!_priced.TryGetValue(op.Signature, out Priced? priced))
            {
                priced = Simulate(op);
                _priced.Add(op.Signature, priced);
            }

            return priced;
        }

        private Priced Simulate(Operator op)
        {
            Lowering lowering = KernelLibrary.Lower(op, machine);
            var time = SimTime.Zero;
            var counts = new ActivityCounts();
            var busy = new SimTime[Simulator.Engines.Length];
            var stack = new CycleStack();
            var spans = ImmutableArray.CreateBuilder<Span>();
            long highWater = 0;
            ImmutableArray<BufferUse> buffers = [];
            foreach ((Program program, long repeat) in lowering.Passes)
            {
                DescribesAtRunTime |= program.DescribesAtRunTime;
                CoreRun run = Simulator.Run(program, machine, collectSpans, cancellation);
                spans.AddRange(run.Spans.Select(span => span with { Start = time + span.Start }));
                time += run.Time * repeat;
                counts.Add(run.Counts, repeat);
                stack.Add(run.Stack, repeat);
                if (program.BytesPerPartition(MemorySpace.Sbuf) is var held && held > highWater)
                {
                    (highWater, buffers) = (held, run.Buffers);
                }

                for (int i = 0; i < busy.Length; i++)
                {
                    busy[i] += run.Busy[i] * repeat;
                }
            }

            return new Priced(time, counts, [.. busy], stack, spans.ToImmutable(), lowering.Mapping, new Bytes(highWater * machine.Sbuf.Partitions), buffers);
        }
    }
}
