using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Components;
using Systolic.Numerics;
using Systolic.Reporting;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Machines;

/// <summary>One pass of a section on the chips of a tensor-parallel group.</summary>
/// <param name="Operators">Operators and exchanges: time of the slowest chip, counts of all.</param>
/// <param name="Exchanges">Exchanges between the chips, and between the replicas that share experts.</param>
/// <param name="Gradients">Gradients of weights that every replica holds, on one chip.</param>
/// <param name="ExpertGradients">Gradients of its experts.</param>
internal sealed record GroupSection(ImmutableArray<OperatorRun> Operators, ImmutableArray<ExchangeRun> Exchanges, Bytes Gradients, Bytes ExpertGradients)
{
    /// <summary>One pass with its exchanges, which the next operator waits for.</summary>
    public SimTime Time => Operators.Aggregate(SimTime.Zero, (sum, run) => sum + run.Time);

    /// <summary>The part of <see cref="Time"/> on the links.</summary>
    public SimTime Links => Exchanges.Aggregate(SimTime.Zero, (sum, exchange) => sum + exchange.Time);
}

/// <summary>One micro-batch on the chips that divide its operators: each distinct chip is run once, and the exchanges between the chips are priced on the links.</summary>
/// <remarks>
/// The graph is divided over the chips, the exchanges of that division are taken out, and the machine runs what is left as it runs any graph, its cores dividing it further.
/// Sums of partial results are added within a chip first, so that the links carry one summand per chip.
/// </remarks>
internal sealed class TensorGroup
{
    private readonly IMachine _chip;
    private readonly ParallelPlan _plan;
    private readonly ShardedGraph _sharded;
    private readonly OperatorGraph _graph;

    private TensorGroup(IMachine chip, ParallelPlan plan, OperatorGraph graph)
    {
        (_chip, _plan, _graph) = (chip, plan, graph);
        _sharded = TensorParallel.Shard(graph, plan.Tensor);
    }

    /// <summary>The run of the first chip, which has the largest parts.</summary>
    public RunReport First { get; private set; } = null!;

    /// <summary>The sections of the graph.</summary>
    public ImmutableArray<GroupSection> Sections { get; private set; }

    /// <summary>Runs a micro-batch.</summary>
    public static TensorGroup Run(IMachine chip, ParallelPlan plan, OperatorGraph graph, RunOptions? options, IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        var group = new TensorGroup(chip, plan, graph);
        var ranks = Enumerable.Range(0, plan.Tensor).Select(group.OfChip).GroupBy(Signature, StringComparer.Ordinal)
            .Select(equal => (Graph: equal.First(), Chips: equal.Count())).ToArray();
        RunReport[] reports = [.. ranks.Select((rank, i) => chip.Run(rank.Graph, (options ?? RunOptions.Default) with { IgnoreCapacity = true }, i == 0 ? progress : null, cancellation))];
        group.First = reports[0];
        group.Sections = group.Join([.. reports.Zip(ranks, (report, rank) => (report.Trace, rank.Chips))], ranks[0].Graph);
        return group;
    }

    /// <summary>A chip's part without the exchanges between chips, and with its share of the experts.</summary>
    private OperatorGraph OfChip(int chip)
    {
        OperatorGraph part = _sharded.OfRank(chip);
        return part with
        {
            Sections = [.. part.Sections.Select((section, i) => section with
            {
                Pass = _graph.Sections[i].Pass,
                Operators = [.. WithoutExchanges(section.Operators).Select(op => OfReplica(op, part))],
            })],
        };
    }

    /// <summary>What an exchange would have written is read as what it reads, so that operators keep their order.</summary>
    private static IEnumerable<Operator> WithoutExchanges(ImmutableArray<Operator> operators)
    {
        var sources = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (Operator op in operators)
        {
            Operator read = op with { Inputs = [.. op.Inputs.Select(input => input with { Name = sources.GetValueOrDefault(input.Name, input.Name) })] };
            if (op is Collective)
            {
                sources[op.Outputs[0].Name] = read.Inputs[0].Name;
                continue;
            }

            foreach (Operand output in op.Outputs)
            {
                sources.Remove(output.Name);
            }

            yield return read;
        }
    }

    /// <summary>Expert parallelism gives a replica fewer experts and each the tokens of several replicas; a sharded optimizer gives it a part of the rows.</summary>
    private Operator OfReplica(Operator op, OperatorGraph graph) => op switch
    {
        MatMul { Batch: > 1, LeftTransposed: true } gradient => gradient with { Batch = Experts(gradient), K = gradient.K * _plan.Expert },
        MatMul { Batch: > 1 } product => product with { Batch = Experts(product), M = product.M * _plan.Expert },
        AdamW step => Rows(step, Math.Max(1, (long)Math.Ceiling(step.Rows * (_plan.ShardOptimizer ? 1.0 / _plan.Data : Kept(graph))))),
        _ => op,
    };

    private long Experts(MatMul product) => (product.Batch + _plan.Expert - 1) / _plan.Expert;

    private static AdamW Rows(AdamW step, long rows) => step with { Rows = rows, Split = step.Split with { Units = rows } };

    /// <summary>Share of a layer's parameters that a replica holds.</summary>
    private double Kept(OperatorGraph graph)
    {
        if (_plan.Expert == 1)
        {
            return 1;
        }

        (double dense, double experts) = graph.Sections.SelectMany(section => section.Operators).Aggregate((0.0, 0.0), (sum, op) => (sum.Item1 + Gradient(op, false), sum.Item2 + Gradient(op, true)));
        return (dense + (experts / _plan.Expert)) / (dense + experts);
    }

    /// <summary>Bytes of weight gradients that an operator writes, of experts or of what all replicas hold.</summary>
    private static long Gradient(Operator op, bool ofExperts) => op is MatMul { Batch: > 1 } != ofExperts ? 0
        : op.Writes.Where(tensor => tensor.Operand.Role == TensorRole.WeightGradient).Sum(tensor => tensor.Size.Value);

    private static string Signature(OperatorGraph graph) => string.Join('\n', graph.Sections.SelectMany(section => section.Operators.Select(op => op.ToString())));

    private ImmutableArray<GroupSection> Join(ImmutableArray<(RunTrace Trace, int Chips)> runs, OperatorGraph first)
    {
        var macs = _sharded.Sections.SelectMany(section => section.Operators.Select(op => (Name: GraphSection.Qualify(section.Name, op.Whole.Name), op.Whole.Macs)))
            .GroupBy(op => op.Name).ToDictionary(op => op.Key, op => op.First().Macs);
        var joined = new Dictionary<string, OperatorRun>(StringComparer.Ordinal);
        foreach ((RunTrace trace, int chips) in runs)
        {
            foreach (OperatorRun run in trace.Operators)
            {
                joined[run.Name] = Merge(joined.GetValueOrDefault(run.Name), run, chips, macs.GetValueOrDefault(run.Name));
            }
        }

        return [.. _sharded.Sections.Select((section, i) => Section(section, first.Sections[i], joined))];
    }

    private static OperatorRun Merge(OperatorRun? others, OperatorRun run, int chips, MacCount macs)
    {
        var counts = new ActivityCounts();
        counts.Add(run.Counts, chips);
        if (others is not null)
        {
            counts.Add(others.Counts, 1);
        }

        return (others is not null && others.Time >= run.Time ? others : run) with
        {
            Counts = counts,
            UsefulMacs = macs,
            Busy = [.. run.Busy.Select((busy, i) => (busy * chips) + (others?.Busy[i] ?? SimTime.Zero))],
        };
    }

    private GroupSection Section(ShardedSection whole, GraphSection part, Dictionary<string, OperatorRun> joined)
    {
        string prefix = whole.Name + "/";
        ImmutableArray<OperatorRun> runs = [.. joined.Values.Where(run => run.Name.StartsWith(prefix, StringComparison.Ordinal) && !Belongs(run.Name, prefix))];
        ImmutableArray<ExchangeRun> exchanges = [.. whole.Operators.Select(op => op.Whole).OfType<Collective>().Select(Price), .. part.Operators.OfType<MoePermute>().Where(_ => _plan.Expert > 1).Select(Price)];
        return new(
            [.. runs, .. exchanges.Select(exchange => AsOperator(
                exchange, GraphSection.Qualify(whole.Name, exchange.Name) + " between chips", exchange.Time, checked(exchange.Sent.Value * _plan.Tensor), First.Trace.Engines.Length))],
            exchanges,
            new(part.Operators.Sum(op => Gradient(op, false))),
            new(part.Operators.Sum(op => Gradient(op, true))));
    }

    /// <summary>A longer section's name begins with the prefix and the operator's with that name, as "encoder/layer/..." does with "encoder/".</summary>
    private bool Belongs(string name, string prefix) => _sharded.Sections.Any(section => section.Name.Length >= prefix.Length && name.StartsWith(section.Name + "/", StringComparison.Ordinal));

    private ExchangeRun Price(Collective op) => Price(op.Name, op.Function, op.Reads[0].Size, _plan.Tensor, 1);

    /// <summary>Tokens go to the replicas that hold their experts, and back.</summary>
    private ExchangeRun Price(MoePermute op) => Price(
        op.Name + ".exchange", CollectiveFunction.AllToAll, new Bytes(checked(op.Rows * op.TopK * op.Columns * op.Type.ByteSize())), _plan.Expert, _plan.Tensor);

    private ExchangeRun Price(string name, CollectiveFunction function, Bytes bytes, int chips, int stride)
    {
        ExchangeCost cost = _chip.Links!.Cost(function, bytes, chips, stride);
        return new(name, new Collective("", function, 1, 1, 1).Kind, chips, cost.Algorithm, bytes, cost.Sent, cost.Time, 1, cost.Time);
    }

    /// <summary>An exchange as an operator: the time for which something waited, and what all chips send.</summary>
    /// <param name="exchange">The exchange.</param>
    /// <param name="name">The operator's name.</param>
    /// <param name="time">The part of its time that is exposed.</param>
    /// <param name="sent">Bytes on all links.</param>
    /// <param name="engines">Engines of the machine.</param>
    public static OperatorRun AsOperator(ExchangeRun exchange, string name, SimTime time, long sent, int engines)
    {
        var stack = new CycleStack();
        stack.Add(CycleComponent.Collective, time);
        var counts = new ActivityCounts();
        counts.Add(ActivityKind.LinkByte, sent);
        return new()
        {
            Name = name,
            Kind = exchange.Function,
            Shape = FormattableString.Invariant($"{exchange.Bytes} over {exchange.Chips} chips"),
            Repeat = 1,
            Mapping = exchange.Algorithm,
            Time = time,
            UsefulMacs = MacCount.Zero,
            Bound = default,
            Counts = counts,
            Stack = stack,
            Busy = [.. new SimTime[engines]],
        };
    }
}
