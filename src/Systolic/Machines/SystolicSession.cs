using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Machines;

/// <summary>One run on a systolic machine: lowers the operators of each section, links what fits together, simulates, and books times and counts to the operators.</summary>
/// <param name="machine">The machine that programs are written for.</param>
/// <param name="timing">The machine that they are simulated on; another one only to ask what if.</param>
/// <param name="mappings">How products are cut.</param>
/// <param name="options">Whether operators overlap, and what to record.</param>
/// <param name="kept">Tensors that pass from section to section.</param>
/// <param name="report">Told after each operator: how many are done, and its name.</param>
/// <param name="cancellation">Stops between operators and within long programs.</param>
internal sealed class SystolicSession(Accelerator machine, Accelerator timing, MatMulMappings mappings, RunOptions options, IReadOnlySet<string> kept, Action<(int Done, string Name)> report, CancellationToken cancellation)
{
    // Linked programs are held whole, at about 100 bytes an instruction.
    private const int MostLinked = 2_000_000;
    private readonly ImmutableArray<OperatorRun>.Builder _runs = ImmutableArray.CreateBuilder<OperatorRun>();
    private readonly Dictionary<Operator, Isolated> _isolated = [];
    private readonly HashSet<Operator> _severalPrograms = [];

    /// <summary>The operators so far, in execution order.</summary>
    public ImmutableArray<OperatorRun> Runs => _runs.ToImmutable();

    /// <summary>A program had descriptors of transfers written at run time.</summary>
    public bool DescribesAtRunTime { get; private set; }

    /// <summary>Spans of the first execution of each operator, on a core that has most of the critical path.</summary>
    public List<Span> Spans { get; } = [];

    /// <summary>Runs the operators of a section once, from <paramref name="start"/> on; returns how long they take.</summary>
    public SimTime Run(ShardedSection section, SimTime start)
    {
        (SimTime now, int next) = (start, 0);
        bool links = options.Overlap && section.Operators.Length > 1;
        CoreGroup[] groups = links ? CoreGroup.Of(section) : [];
        while (next < section.Operators.Length)
        {
            int first = next;
            (Placed[] linked, ProgramLinker[] linkers) = links ? Link(section, groups, ref next) : ([], []);
            if (linked.Length > 1)
            {
                now += RunLinked(section, groups, first, linked, linkers, now);
                continue;
            }

            next = first + 1;
            now += RunIsolated(section, section.Operators[first], now);
        }

        return now - start;
    }

    /// <summary>Links operators from <paramref name="next"/> on until one needs several programs or enough is linked. Returns what was linked, an entry per operator, and the programs, one per group.</summary>
    private (Placed[] Parts, ProgramLinker[] Linkers) Link(ShardedSection section, CoreGroup[] groups, ref int next)
    {
        var parts = new List<Placed>();
        ProgramLinker[] linkers = [.. groups.Select(_ => new ProgramLinker(machine, section.Name, kept))];
        for (; next < section.Operators.Length && linkers.Sum(linker => (long)linker.Length) < MostLinked; next++)
        {
            var lowered = new Dictionary<Operator, SingleProgram?>();
            foreach (CoreGroup group in groups)
            {
                if (group.Parts[next] is { } part && !lowered.ContainsKey(part.Signature))
                {
                    lowered[part.Signature] = Single(part);
                }
            }

            if (lowered.Values.Any(single => single is null))
            {
                break;
            }

            foreach ((CoreGroup group, ProgramLinker linker) in groups.Zip(linkers))
            {
                if (group.Parts[next] is { } part)
                {
                    linker.Add(part, lowered[part.Signature]!.Program);
                }
                else
                {
                    linker.Skip();
                }
            }

            DescribesAtRunTime |= lowered.Values.Any(single => single!.Program.DescribesAtRunTime);
            parts.Add(Placed.Of(lowered.Values, machine));
        }

        return ([.. parts], linkers);
    }

    /// <summary>The program of an operator; null when it needs several.</summary>
    private SingleProgram? Single(Operator op)
    {
        if (_severalPrograms.Contains(op.Signature))
        {
            return null;
        }

        var single = SingleProgram.Of(KernelLibrary.Lower(op, machine, values: false, mappings.Choose));
        if (single is null)
        {
            _severalPrograms.Add(op.Signature);
        }

        return single;
    }

    private SimTime RunLinked(ShardedSection section, CoreGroup[] groups, int first, Placed[] parts, ProgramLinker[] linkers, SimTime start)
    {
        Program[] programs = [.. linkers.Select(linker => linker.Build())];
        CoresRun run = Simulate(programs);
        (Program shown, ImmutableArray<Span> spans) = programs.Zip(run.Spans).MaxBy(core => core.Second.Sum(span => span.OnPath.Value));
        Spans.AddRange(spans.Select(span => span with { Start = start + span.Start, Operator = NameOf(section, first + shown.PartOf(Streams.Of(span.Track), span.Index)) }));

        for (int part = 0; part < parts.Length; part++)
        {
            var (counts, busy) = (new ActivityCounts(), new SimTime[Simulator.Engines.Length]);
            for (int group = 0; group < groups.Length; group++)
            {
                Accumulate(counts, busy, run.Cores[group][part].Counts, run.Cores[group][part].Busy, groups[group].Cores);
            }

            Add(section, section.Operators[first + part], run.Stacks[part], counts, busy, parts[part].Mapping, parts[part].HighWater, parts[part].Buffers);
        }

        return run.Time;
    }

    /// <summary>An operator by itself, from idle cores to idle cores: it takes as long as its slowest core.</summary>
    private SimTime RunIsolated(ShardedSection section, ShardedOperator op, SimTime start)
    {
        Isolated slowest = Isolated.Idle;
        var (counts, busy) = (new ActivityCounts(), new SimTime[Simulator.Engines.Length]);
        foreach (IGrouping<Operator, Operator> ranks in op.Ranks.OfType<Operator>().GroupBy(rank => rank.Signature))
        {
            Isolated isolated = Isolate(ranks.First());
            Accumulate(counts, busy, isolated.Counts, isolated.Busy, ranks.Count());
            slowest = isolated.Stack.Total > slowest.Stack.Total ? isolated : slowest;
        }

        Spans.AddRange(slowest.Spans.Select(span => span with { Start = start + span.Start, Operator = GraphSection.Qualify(section.Name, op.Whole.Name) }));
        Add(section, op, slowest.Stack, counts, busy, slowest.Mapping, slowest.HighWater, slowest.Buffers);
        return slowest.Stack.Total;
    }

    private CoresRun Simulate(Program[] programs)
    {
        return options is { Shared: { } shared, CollectSpans: false } ? shared.Get(programs, timing, Run) : Run();

        CoresRun Run() => Simulator.RunTogether(programs, timing, options.CollectSpans, cancellation);
    }

    private void Add(ShardedSection section, ShardedOperator op, CycleStack stack, ActivityCounts counts, SimTime[] busy, string mapping, Bytes highWater, ImmutableArray<BufferUse> buffers)
    {
        cancellation.ThrowIfCancellationRequested();
        _runs.Add(new OperatorRun
        {
            Name = GraphSection.Qualify(section.Name, op.Whole.Name),
            Kind = op.Whole.Kind,
            Shape = op.Whole.Describe(),
            Repeat = section.Repeat,
            Mapping = mapping,
            Time = stack.Total,
            UsefulMacs = op.Whole.Macs,
            Bound = Bound(op.Whole),
            Counts = counts,
            Stack = stack,
            Busy = [.. busy],
            ScratchpadHighWater = highWater,
            Buffers = buffers,
        });
        report((_runs.Count, _runs[^1].Name));
    }

    private static string NameOf(ShardedSection section, int op) => GraphSection.Qualify(section.Name, section.Operators[op].Whole.Name);

    private static void Accumulate(ActivityCounts counts, SimTime[] busy, ActivityCounts more, ImmutableArray<SimTime> moreBusy, long times)
    {
        counts.Add(more, times);
        for (int i = 0; i < busy.Length; i++)
        {
            busy[i] += moreBusy[i] * times;
        }
    }

    private LowerBound Bound(Operator op)
    {
        SimTime arithmetic = SimTime.FromSeconds(op.Macs.Value / machine.PeakMacsPerSecond(op.Type));
        return new LowerBound(arithmetic, machine.Memory.Bandwidth.TimeFor(OperatorGraph.Of(op).CompulsoryBytes));
    }

    /// <summary>What one core does for an operator alone; the same for every operator of that signature, for each starts on an idle core.</summary>
    private Isolated Isolate(Operator op)
    {
        if (!_isolated.TryGetValue(op.Signature, out Isolated? isolated))
        {
            isolated = Simulate(op);
            _isolated.Add(op.Signature, isolated);
        }

        return isolated;
    }

    private Isolated Simulate(Operator op)
    {
        Lowering lowering = KernelLibrary.Lower(op, machine, values: false, mappings.Choose);
        var time = SimTime.Zero;
        var counts = new ActivityCounts();
        var busy = new SimTime[Simulator.Engines.Length];
        var stack = new CycleStack();
        var spans = ImmutableArray.CreateBuilder<Span>();
        (Bytes highWater, ImmutableArray<BufferUse> buffers) = (Bytes.Zero, []);
        foreach ((Program program, long repeat) in lowering.Passes)
        {
            DescribesAtRunTime |= program.DescribesAtRunTime;
            CoreRun run = Simulator.Run(program, timing, options.CollectSpans, cancellation);
            spans.AddRange(run.Spans.Select(span => span with { Start = time + span.Start }));
            time += run.Time * repeat;
            Accumulate(counts, busy, run.Counts, run.Busy, repeat);
            stack.Add(run.Stack, repeat);
            if (Placed.Held(program, machine) is var held && held > highWater)
            {
                (highWater, buffers) = (held, run.Buffers);
            }
        }

        return new Isolated(counts, [.. busy], stack, spans.ToImmutable(), lowering.Mapping, highWater, buffers);
    }

    /// <summary>Cores that execute equal operators all through a section.</summary>
    private sealed class CoreGroup(ImmutableArray<Operator?> parts, int cores)
    {
        /// <summary>What each of them executes of each operator; null where they idle.</summary>
        public ImmutableArray<Operator?> Parts { get; } = parts;

        public int Cores { get; } = cores;

        public static CoreGroup[] Of(ShardedSection section)
        {
            int cores = section.Operators[0].Ranks.Length;
            ImmutableArray<Operator?>[] all = [.. Enumerable.Range(0, cores).Select(core => section.Operators.Select(op => op.Ranks[core]).ToImmutableArray())];
            return
            [
                .. all.GroupBy(parts => string.Join('|', parts.Select((part, i) => Rank(section.Operators[i], part))))
                    .Select(group => new CoreGroup(group.First(), group.Count())),
            ];
        }

        /// <summary>The first rank with an equal part.</summary>
        private static int Rank(ShardedOperator op, Operator? part) => part is null ? -1 : op.Ranks.IndexOf(op.Ranks.First(other => other is not null && other.Signature == part.Signature));
    }

    /// <summary>An operator whose work is one program.</summary>
    private sealed record SingleProgram(Program Program, string Mapping)
    {
        /// <summary>Null when there are several, or one runs several times.</summary>
        public static SingleProgram? Of(Lowering lowering)
        {
            using IEnumerator<LoweredPass> passes = lowering.Passes.GetEnumerator();
            return passes.MoveNext() && passes.Current is { Repeat: 1, Program: var program } && !passes.MoveNext() ? new SingleProgram(program, lowering.Mapping) : null;
        }
    }

    /// <summary>How an operator was placed, on the core that holds the most.</summary>
    private sealed record Placed(string Mapping, Bytes HighWater, ImmutableArray<BufferUse> Buffers)
    {
        public static Placed Of(IEnumerable<SingleProgram?> programs, Accelerator machine) => programs.OfType<SingleProgram>().MaxBy(single => Held(single.Program, machine)) is { } most
            ? new Placed(most.Mapping, Held(most.Program, machine), CoreRun.Used(most.Program))
            : new Placed(Isolated.Idle.Mapping, Bytes.Zero, []);

        public static Bytes Held(Program program, Accelerator machine) => new(program.BytesPerPartition(MemorySpace.Sbuf) * machine.Sbuf.Partitions);
    }

    /// <summary>What one core did for one operator alone, over all its passes.</summary>
    private sealed record Isolated(ActivityCounts Counts, ImmutableArray<SimTime> Busy, CycleStack Stack, ImmutableArray<Span> Spans, string Mapping, Bytes HighWater, ImmutableArray<BufferUse> Buffers)
    {
        public static Isolated Idle { get; } = new(new ActivityCounts(), [.. new SimTime[Simulator.Engines.Length]], new CycleStack(), [], "idle", Bytes.Zero, []);
    }
}
