using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Components;
using Systolic.Numerics;
using Systolic.Reporting;
using Systolic.Simt;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Machines;

/// <summary>A GPU as the baseline: library kernels with tensor cores, one per operator, timed by a mechanistic model.</summary>
/// <remarks>
/// Operators run one after the other, each behind the launch cost of <see cref="LaunchSpec.Mode"/> (by default kernels of a CUDA graph), without fusion.
/// Results agree with the accelerator's in kind: the same trace, counts and stack.
/// </remarks>
public sealed class SimtMachine : IMachine
{
    /// <summary>A machine of these parameters.</summary>
    /// <exception cref="ArgumentException">A parameter is impossible; the message lists all such.</exception>
    public SimtMachine(SimtSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        string[] problems = [.. SimtRules.Problems(spec).Select(problem => $"{spec.Name}: {problem.Path}: {problem.Problem}")];
        if (problems.Length > 0)
        {
            throw new ArgumentException(string.Join('\n', problems), nameof(spec));
        }

        Spec = spec;
        Profile = CreateProfile(spec);
    }

    /// <summary>The parameters.</summary>
    public SimtSpec Spec { get; }

    /// <inheritdoc/>
    public MachineProfile Profile { get; }

    /// <inheritdoc/>
    public LinkFabric? Links => Spec.Links;

    /// <inheritdoc/>
    public RunReport Run(OperatorGraph graph, RunOptions? options = null, IProgress<RunProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(graph);
        MemoryFootprint memory = MemoryCapacity.Require(graph, Profile, options);
        bool collectSpans = (options ?? RunOptions.Default).CollectSpans;
        var priced = new Dictionary<(Operator Signature, Traffic Stateful), KernelCost>();
        var runs = ImmutableArray.CreateBuilder<OperatorRun>();
        var spans = ImmutableArray.CreateBuilder<Span>();
        int total = graph.Sections.Sum(section => section.Operators.Length);
        SimTime now = SimTime.Zero;
        SimTime arithmetic = SimTime.Zero;
        foreach (GraphSection section in graph.Sections)
        {
            SimTime begin = now;
            foreach (Operator op in section.Operators)
            {
                cancellation.ThrowIfCancellationRequested();
                OperatorRun run = RunOne(section, op, priced);
                runs.Add(run);
                arithmetic += run.Bound.Arithmetic * run.Repeat;
                if (collectSpans)
                {
                    spans.Add(new Span("stream", run.Name, now, run.Time) { Operator = run.Name });
                }

                now += run.Time;
                progress?.Report(new RunProgress(runs.Count, total, run.Name));
            }

            now = begin + ((now - begin) * section.Repeat);
        }

        var trace = new RunTrace
        {
            Engines = SimtEngines.All,
            Operators = runs.ToImmutable(),
            Overhead = new CycleStack(),
            Bound = new LowerBound(arithmetic, Spec.Memory.Peak.TimeFor(graph.CompulsoryBytes)),
            Spans = spans.ToImmutable(),
        };
        return RunReport.From(Profile, trace, graph.Name, graph.Phase, graph.Tokens, options?.Prices) with { Memory = memory };
    }

    private OperatorRun RunOne(GraphSection section, Operator op, Dictionary<(Operator Signature, Traffic Stateful), KernelCost> priced)
    {
        Traffic stateful = Traffic.StatefulOf(op);
        (Operator, Traffic) key = (op.Signature, stateful);
        if (!priced.TryGetValue(key, out KernelCost? cost))
        {
            cost = SimtPricer.Price(Spec, op, stateful);
            priced.Add(key, cost);
        }

        return new OperatorRun
        {
            Name = GraphSection.Qualify(section.Name, op.Name),
            Kind = op.Kind,
            Shape = op.Describe(),
            Repeat = section.Repeat,
            Mapping = cost.Mapping,
            Time = cost.Time,
            UsefulMacs = op.Macs,
            Bound = Spec.Bound(op.Macs.Value, op.Type, new Bytes(stateful.Total)),
            Counts = cost.Counts,
            Stack = cost.Stack,
            Busy = cost.Busy,
            Voltage = cost.Voltage,
        };
    }

    private static MachineProfile CreateProfile(SimtSpec spec)
    {
        var peak = new Dictionary<DataType, double>();
        foreach (DataType type in Enum.GetValues<DataType>())
        {
            if (type == DataType.Fp32 || spec.TensorCores.MacsPerCycle.ContainsKey(type) || spec.TensorCores.RunsAs.ContainsKey(type))
            {
                peak.Add(type, spec.PeakMacsPerSecond(type));
            }
        }

        return new MachineProfile
        {
            Name = spec.Name,
            Clock = new Clock(spec.BoostClock),
            MatrixEngine = SimtEngines.All[SimtEngines.TensorCore].Name,
            PeakMacsPerSecond = peak,
            MainMemory = spec.Memory.Peak,
            MainMemoryCapacity = spec.Memory.Capacity,
            Energy = spec.Energy,
            Area = spec.Area,
            Assumptions = spec.Assumptions,
        };
    }
}
