using Systolic.Accounting;
using Systolic.Components;
using Systolic.Reporting;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Machines;

/// <summary>Many equal chips that divide a workload by a plan. It runs a micro-batch of one replica, and reports the step of all of them.</summary>
/// <remarks>
/// Simulated is one chip of each distinct part of a tensor-parallel group, whatever the number of chips; stages and replicas repeat it. Exchanges that the next operator waits for
/// (tensor and expert parallelism) are exposed; the gradients of a layer are reduced while the backward pass goes on, its parameters gathered while the optimizer does, and
/// activations sent while the stage takes the next micro-batch: of these, only what is left over delays the step. A plan of one chip and one micro-batch is the chip's own run.
/// </remarks>
public sealed class Cluster : IMachine
{
    private readonly IMachine _chip;
    private readonly ParallelPlan _plan;

    /// <summary>Chips joined by their machine's links.</summary>
    /// <exception cref="CapacityException">The links do not reach so many chips.</exception>
    public Cluster(IMachine chip, ParallelPlan plan)
    {
        ArgumentNullException.ThrowIfNull(chip);
        ArgumentNullException.ThrowIfNull(plan);
        int reached = chip.Links?.Chips ?? 1;
        if (plan.Chips > reached)
        {
            throw new CapacityException(FormattableString.Invariant(
                $"{chip.Profile.Name}: found a plan of {plan.Chips} chips ({plan}), expected at most the {reached} that its links reach; lower a degree, or add a level to links.levels of the machine file."));
        }

        (_chip, _plan) = (chip, plan);
        Profile = plan.Chips == 1 ? chip.Profile : OfAll(chip.Profile, plan.Chips);
    }

    /// <inheritdoc/>
    public MachineProfile Profile { get; }

    /// <inheritdoc/>
    public LinkFabric? Links => _chip.Links;

    /// <summary>Runs a step.</summary>
    /// <param name="graph">One micro-batch of one replica, all layers.</param>
    /// <param name="options">What to record; the defaults when null.</param>
    /// <param name="progress">Told after each operator.</param>
    /// <param name="cancellation">Stops between operators and within long programs.</param>
    /// <exception cref="ArgumentException">The plan is impossible for the workload.</exception>
    public RunReport Run(OperatorGraph graph, RunOptions? options = null, IProgress<RunProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (_plan.Problems(graph) is { IsEmpty: false } problems)
        {
            throw new ArgumentException(string.Join("; ", problems), nameof(graph));
        }

        if (_plan.Chips == 1 && _plan.MicroBatches == 1)
        {
            return _chip.Run(graph, options, progress, cancellation);
        }

        MemoryFootprint chip = MemoryCapacity.Require(graph, PerChip(graph.Memory), _chip.Profile, options);
        var group = TensorGroup.Run(_chip, _plan, graph, options, progress, cancellation);
        RunTrace trace = new Step(_chip, _plan, graph, group).Trace();
        return RunReport.From(Profile, trace, graph.Name, $"{graph.Phase} per micro-batch, {_plan}", checked(graph.Tokens * _plan.AllMicroBatches), options?.Prices) with { Memory = chip.Times(_plan.Chips) };
    }

    /// <summary>What one chip of a stage holds and runs for a micro-batch, before tensor parallelism divides it: for those who count its memory.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such stage.</exception>
    public OperatorGraph OfStage(OperatorGraph graph, int stage)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentOutOfRangeException.ThrowIfNegative(stage);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(stage, _plan.Pipeline);
        return PipelineStages.Of(graph, _plan.Pipeline).OfStage(stage);
    }

    /// <summary>What a chip holds when stages, tensor-parallel ranks and experts divide the model evenly. A stage keeps the activations of as many micro-batches as are on their way.</summary>
    private MemoryFootprint PerChip(MemoryFootprint whole)
    {
        long model = (long)_plan.Tensor * _plan.Pipeline * _plan.Expert, ranks = (long)_plan.Tensor * _plan.Pipeline;
        Bytes Part(Bytes size, long parts) => new((size.Value + parts - 1) / parts);
        return new MemoryFootprint(
            Part(whole.Weights, model), Part(whole.KvCache, ranks), Part(whole.Activations * Math.Min(_plan.Pipeline, _plan.MicroBatches), ranks),
            Part(whole.Gradients, model), Part(whole.OptimizerState, _plan.ShardOptimizer ? checked(model * _plan.Data) : model));
    }

    private static MachineProfile OfAll(MachineProfile chip, long chips) => chip with
    {
        Name = FormattableString.Invariant($"{chips} x {chip.Name}"),
        PeakMacsPerSecond = chip.PeakMacsPerSecond.ToDictionary(peak => peak.Key, peak => peak.Value * chips),
        MainMemory = chip.MainMemory * chips,
        MainMemoryCapacity = chip.MainMemoryCapacity * chips,
        Energy = chip.Energy with
        {
            Idle = chip.Energy.Idle * chips,
            Active = chip.Energy.Active * chips,
            MemoryBackground = chip.Energy.MemoryBackground * chips,
            Cap = chip.Energy.Cap is { } cap ? cap * chips : null,
        },
        Area = chip.Area is { } area ? new AreaBreakdown([.. area.Parts.Select(part => part with { Value = part.Value * chips, Low = part.Low * chips, High = part.High * chips })]) : null,
    };
}
