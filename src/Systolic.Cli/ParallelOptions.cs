using System.CommandLine;
using Systolic.Accounting;
using Systolic.Machines;
using Systolic.Workloads;

namespace Systolic.Cli;

/// <summary>The options that divide a workload over chips.</summary>
internal sealed class ParallelOptions
{
    private readonly Option<long?> _chips = SharedOptions.Size("--chips", "Chips in all (those that the degrees give; more become replicas).");
    private readonly Option<long?> _tensor = SharedOptions.Size("--tensor-parallel", "Chips that divide every operator (1).");
    private readonly Option<long?> _pipeline = SharedOptions.Size("--pipeline", "Stages that divide the layers (1).");
    private readonly Option<long?> _data = SharedOptions.Size("--data-parallel", "Replicas that divide the batch (what --chips leaves, or 1).");
    private readonly Option<long?> _expert = SharedOptions.Size("--expert-parallel", "Replicas that divide the experts (1).");
    private readonly Option<long?> _microBatches = SharedOptions.Size("--micro-batches", "Micro-batches of each replica (1).");
    private readonly Option<bool> _shardOptimizer = new("--shard-optimizer") { Description = "Replicas divide the optimizer's state and step (ZeRO stage 1)." };

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="microBatches">With --micro-batches; otherwise the command has it already.</param>
    public void AddTo(Command command, bool microBatches)
    {
        foreach (Option option in (Option[])[_chips, _tensor, _pipeline, _data, _expert, _shardOptimizer])
        {
            command.Add(option);
        }

        if (microBatches)
        {
            command.Add(_microBatches);
        }
    }

    /// <summary>A degree is given, not only a number of chips.</summary>
    public bool Divides(ParseResult parsed) => ((Option<long?>[])[_tensor, _pipeline, _data, _expert, _microBatches]).Any(option => parsed.GetValue<long?>(option.Name) is not null);

    /// <summary>The number of chips that is given.</summary>
    public long Chips(ParseResult parsed) => Degree(parsed, _chips);

    /// <summary>The plan.</summary>
    /// <exception cref="UsageException">The degrees do not give the chips.</exception>
    public ParallelPlan Plan(ParseResult parsed)
    {
        long model = Degree(parsed, _tensor) * Degree(parsed, _pipeline);
        long chips = parsed.GetValue(_chips) ?? (model * Degree(parsed, _data)), data = parsed.GetValue(_data) ?? Math.Max(1, chips / model);
        if (model * data != chips)
        {
            throw new UsageException(FormattableString.Invariant(
                $"Found --chips {chips} for tensor {Degree(parsed, _tensor)} x pipeline {Degree(parsed, _pipeline)} x data {data}, expected their product, {model * data}; give --chips {model * data}, or other degrees."));
        }

        return new ParallelPlan
        {
            Tensor = (int)Degree(parsed, _tensor),
            Pipeline = (int)Degree(parsed, _pipeline),
            Data = (int)data,
            Expert = (int)Degree(parsed, _expert),
            MicroBatches = chips == 1 ? 1 : (int)(parsed.GetValue<long?>(_microBatches.Name) ?? 1),
            ShardOptimizer = parsed.GetValue(_shardOptimizer),
        };
    }

    /// <summary>The machine, or as many of it as the plan has chips.</summary>
    /// <exception cref="UsageException">The plan is impossible for the workload or the machine.</exception>
    public static IMachine Divide(IMachine machine, ParallelPlan plan, OperatorGraph graph)
    {
        if (plan == ParallelPlan.OneChip)
        {
            return machine;
        }

        if (plan.Problems(graph) is { IsEmpty: false } problems)
        {
            throw new UsageException(string.Join('\n', problems));
        }

        try
        {
            return new Cluster(machine, plan);
        }
        catch (CapacityException refused)
        {
            throw new UsageException(refused.Message);
        }
    }

    private static long Degree(ParseResult parsed, Option<long?> option) => parsed.GetValue(option) ?? 1;
}
