using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Reporting;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Times whole models on the chips of a row; each run once.</summary>
internal sealed class ModelTiming
{
    private readonly Dictionary<(string Chip, int Cores, ParallelPlan Plan, string Graph), SimTime> _timed = [];
    private readonly Dictionary<(string Chip, int Cores), SystolicMachine> _machines = [];

    /// <summary>Time of a graph on cores of a chip that divide every operator, over as many chips as they fill.</summary>
    /// <param name="chip">The chip's preset.</param>
    /// <param name="cores">Tensor-parallel cores.</param>
    /// <param name="plan">Pipeline, replicas and micro-batches; replicas of single cores when <paramref name="cores"/> is 1.</param>
    /// <param name="graph">A micro-batch.</param>
    /// <param name="overlapped">The compiler schedules all operators of the graph together.</param>
    public SimTime Time(string chip, int cores, ParallelPlan plan, OperatorGraph graph, bool overlapped)
    {
        string operators = string.Join('\n', graph.Sections.SelectMany(section => section.Operators.Select(op => $"{section.Repeat} {op} {op.Type}")));
        var key = (chip, cores, plan, operators);
        if (!_timed.TryGetValue(key, out SimTime time))
        {
            SystolicMachine machine = Machine(chip, cores);
            RunReport report = new Cluster(machine, plan with { Tensor = cores / machine.Accelerator.Cores }).Run(graph, new RunOptions { Overlap = false, IgnoreCapacity = true });
            time = overlapped ? Overlapped(report) : report.Time;
            _timed.Add(key, time);
        }

        return time;
    }

    /// <summary>The machine, which remembers how it cuts products.</summary>
    private SystolicMachine Machine(string chip, int cores)
    {
        if (!_machines.TryGetValue((chip, cores), out SystolicMachine? machine))
        {
            machine = new SystolicMachine(Chip(chip, cores));
            _machines.Add((chip, cores), machine);
        }

        return machine;
    }

    /// <summary>Operators that overlap but for the exchanges between them: the busiest engine works without a pause, and exchanges, which the next operator needs, come on top.</summary>
    private static SimTime Overlapped(RunReport report)
    {
        SimTime busiest = report.Utilization.Aggregate(SimTime.Zero, (most, engine) => SimTime.Max(most, SimTime.FromSeconds(engine.Share * report.Time.Seconds)));
        return busiest + report.CycleStack[CycleComponent.Collective] + report.CycleStack[CycleComponent.Launch];
    }

    /// <summary>The chip, or one of its cores with links of its own when a core works alone.</summary>
    /// <exception cref="ArgumentException">The cores fill no whole chips.</exception>
    private static Accelerator Chip(string name, int cores)
    {
        Accelerator chip = MachinePresets.Accelerator(name);
        if (cores % chip.Cores == 0)
        {
            return chip;
        }

        if (cores != 1)
        {
            throw new ArgumentException(FormattableString.Invariant($"found {cores} tensor-parallel cores, expected 1 or a multiple of the {chip.Cores} of {name}"), nameof(cores));
        }

        // NeuronCores of one generation are alike; inf2 has those of trn1.
        return MachinePresets.Accelerator(name == "inf2" ? "trn1-core" : name + "-core") with
        {
            Links = chip.Links is { } links
                ? new([.. links.Levels.Select(level => level with { Chips = level.Chips * chip.Cores, Bandwidth = level.Bandwidth * (1.0 / chip.Cores) })])
                : null,
        };
    }

    /// <summary>Weights of one byte, multiplied at the rate of 16-bit ones, as chips without a faster rate do.</summary>
    public static OperatorGraph OneByteWeights(OperatorGraph graph) => graph with
    {
        Sections = [.. graph.Sections.Select(section => section with
        {
            Operators = [.. section.Operators.Select(op => op is MatMul { Inputs: [_, { Role: TensorRole.Weight }, ..] } product ? product with { Type = DataType.Fp8E4M3 } : op)],
        })],
    };
}
