using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Components;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Machines;

/// <summary>A step of a cluster: micro-batches through the pipeline, gradients between replicas, the optimizer.</summary>
internal sealed class Step
{
    private readonly IMachine _chip;
    private readonly ParallelPlan _plan;
    private readonly OperatorGraph _graph;
    private readonly TensorGroup _group;
    private readonly PipelineStages _stages;

    public Step(IMachine chip, ParallelPlan plan, OperatorGraph graph, TensorGroup group) =>
        (_chip, _plan, _graph, _group, _stages) = (chip, plan, graph, group, PipelineStages.Of(graph, plan.Pipeline));

    private IEnumerable<int> Sections(ModelPass pass) => Enumerable.Range(0, _graph.Sections.Length).Where(i => _graph.Sections[i].Pass == pass);

    private SimTime Pass(ModelPass pass, int stage) => Sections(pass).Aggregate(SimTime.Zero, (sum, i) => sum + (_group.Sections[i].Time * _stages.Repeats[i][stage]));

    private int Runs(int section) => _graph.Sections[section].Pass == ModelPass.Optimizer ? 1 : _plan.MicroBatches;

    /// <summary>The step as the stage saw it that ended last; counts are those of all chips.</summary>
    public RunTrace Trace()
    {
        int[] all = [.. Enumerable.Range(0, _plan.Pipeline)];
        ImmutableArray<SimTime> forward = [.. all.Select(stage => Pass(ModelPass.Forward, stage))], backward = [.. all.Select(stage => Pass(ModelPass.Backward, stage))];
        ExchangeCost send = _plan.Pipeline == 1 ? ExchangeCost.None : _chip.Links!.Send(Boundary(), _plan.Tensor * _plan.Data);
        var schedule = PipelineSchedule.Of(forward, backward, send.Time, _plan.MicroBatches);
        (LinkStream Gradients, LinkStream Parameters)[] streams = [.. all.Select(stage => (Stream(ModelPass.Backward, stage), Stream(ModelPass.Optimizer, stage)))];
        SimTime[] ends = [.. all.Select(stage => schedule.End[stage] + streams[stage].Gradients.Exposed + Pass(ModelPass.Optimizer, stage) + streams[stage].Parameters.Exposed)];
        int last = Array.IndexOf(ends, ends.Max());
        SimTime idle = schedule.End[last] - ((forward[last] + backward[last]) * _plan.MicroBatches);
        SimTime sends = SimTime.Min(idle, schedule.End[last] - PipelineSchedule.Of(forward, backward, SimTime.Zero, _plan.MicroBatches).End[last]);
        (ExchangeRun Run, long Sent)[] outside = [.. Outside(last, send, sends, streams[last])];
        var overhead = new CycleStack();
        overhead.Add(_group.First.Trace.Overhead, 1);
        overhead.Add(CycleComponent.PipelineBubble, idle - sends);
        return new RunTrace
        {
            Engines = [.. _group.First.Trace.Engines.Select(engine => engine with { Instances = checked((int)(engine.Instances * _plan.Chips)) })],
            Operators =
            [
                .. Enumerable.Range(0, _graph.Sections.Length).SelectMany(i => Operators(i, last)),
                .. outside.Select(exchange => TensorGroup.AsOperator(exchange.Run, exchange.Run.Name, exchange.Run.Exposed, exchange.Sent, _group.First.Trace.Engines.Length)),
            ],
            Overhead = overhead,
            Bound = Bound(),
            Spans = _group.First.Trace.Spans,
            Parallel = new ParallelTrace(_plan.ToString(), _plan.Chips, [.. Exchanges(last), .. outside.Select(exchange => exchange.Run)], idle - sends),
        };
    }

    /// <summary>What a chip of a stage hands to the next: its part of the activations that a layer reads.</summary>
    private Bytes Boundary() => new(Sections(ModelPass.Forward).Where(i => _graph.Sections[i].Repeat > 1)
        .Select(i => (_graph.Sections[i].Inputs.Sum(tensor => tensor.Size.Value) + _plan.Tensor - 1) / _plan.Tensor).DefaultIfEmpty(0).Max());

    /// <summary>Exchanges between replicas behind a pass: of gradients behind the last backward pass, of parameters behind a sharded optimizer.</summary>
    private LinkStream Stream(ModelPass pass, int stage)
    {
        var stream = new LinkStream();
        ImmutableArray<int> sections = [.. Sections(pass)];
        foreach (int i in sections)
        {
            SimTime exchange = pass == ModelPass.Backward ? Between(i) : ParametersOf(i, stage);
            stream.Add(_group.Sections[i].Time, exchange, _stages.Repeats[i][stage]);
        }

        return stream;
    }

    /// <summary>Gradients of a section between replicas. Where tensor ranks use the same links, which go first, it takes as much longer as those are busy.</summary>
    private SimTime Between(int section)
    {
        GroupSection part = _group.Sections[section];
        SimTime time = Replicas(Reduction, part.Gradients, _plan.Data, _plan.Tensor).Time + Replicas(Reduction, part.ExpertGradients, _plan.Data / _plan.Expert, _plan.Tensor * _plan.Expert).Time;
        bool shared = _plan.Tensor > 1 && _plan.Data > 1 && _chip.Links!.Innermost(_plan.Data, _plan.Tensor) == _chip.Links.Innermost(_plan.Tensor, 1);
        return shared ? SimTime.FromSeconds(time.Seconds / (1 - (part.Links.Seconds / part.Time.Seconds))) : time;
    }

    private CollectiveFunction Reduction => _plan.ShardOptimizer ? CollectiveFunction.ReduceScatter : CollectiveFunction.AllReduce;

    /// <summary>Parameters of a stage after the step, of its sections of the optimizer in proportion to their time.</summary>
    private SimTime ParametersOf(int section, int stage)
    {
        if (!_plan.ShardOptimizer || Pass(ModelPass.Optimizer, stage) is var whole && whole == SimTime.Zero)
        {
            return SimTime.Zero;
        }

        double share = _group.Sections[section].Time.Seconds / whole.Seconds;
        return Replicas(CollectiveFunction.AllGather, new Bytes((long)(Held(stage).Value * share)), _plan.Data, _plan.Tensor).Time;
    }

    private ExchangeCost Replicas(CollectiveFunction function, Bytes bytes, int replicas, int stride) =>
        replicas == 1 || bytes == Bytes.Zero ? ExchangeCost.None : _chip.Links!.Cost(function, bytes, replicas, stride);

    /// <summary>Operators of a section on one stage, with those of the other stages, which run at the same time.</summary>
    private IEnumerable<OperatorRun> Operators(int section, int stage)
    {
        long here = _stages.Repeats[section][stage], elsewhere = _stages.Repeats[section].Sum() - here;
        foreach (OperatorRun run in _group.Sections[section].Operators)
        {
            var counts = new ActivityCounts();
            counts.Add(run.Counts, _plan.Data);
            OperatorRun all = run with { Counts = counts, UsefulMacs = new MacCount(checked(run.UsefulMacs.Value * _plan.Data)), Busy = [.. run.Busy.Select(busy => busy * _plan.Data)] };
            if (here > 0)
            {
                yield return all with { Repeat = here * Runs(section) };
            }

            if (elsewhere > 0)
            {
                yield return all with { Name = run.Name + " of other stages", Repeat = elsewhere * Runs(section), Time = SimTime.Zero, Stack = new CycleStack(), Bound = default };
            }
        }
    }

    /// <summary>All the work over the peak of all chips; of what replicas share, the bytes once.</summary>
    private LowerBound Bound()
    {
        double macs = 0;
        long bytes = 0;
        for (int i = 0; i < _graph.Sections.Length; i++)
        {
            GraphSection section = _graph.Sections[i] with { Repeat = checked(_graph.Sections[i].Repeat * Runs(i)) };
            macs += section.Operators.Sum(op => op.Macs.Value == 0 ? 0 : op.Macs.Value * section.Repeat / _chip.Profile.PeakMacsPerSecond[op.Type]);
            bytes = checked(bytes + (_graph with { Sections = [section with { Operators = [.. section.Operators.Select(Shared)] }] }).CompulsoryBytes.Value);
        }

        long chips = (long)_plan.Tensor * _plan.Pipeline;
        return new(SimTime.FromSeconds(macs / chips), (_chip.Profile.MainMemory * chips).TimeFor(new Bytes(bytes)));

        Operator Shared(Operator op) => op switch
        {
            MatMul { Batch: > 1 } product => product with { Batch = Math.Max(1, product.Batch / _plan.Expert) },
            AdamW step => step with { Rows = Math.Max(1, step.Rows / (_plan.ShardOptimizer ? _plan.Data : _plan.Expert)) },
            _ => op,
        };
    }

    private IEnumerable<ExchangeRun> Exchanges(int stage)
    {
        for (int i = 0; i < _graph.Sections.Length; i++)
        {
            long repeat = _stages.Repeats[i][stage] * Runs(i);
            foreach (ExchangeRun exchange in _group.Sections[i].Exchanges.Where(_ => repeat > 0))
            {
                yield return exchange with { Name = GraphSection.Qualify(_graph.Sections[i].Name, exchange.Name), Repeat = repeat, Exposed = exchange.Time * repeat };
            }
        }
    }

    /// <summary>Exchanges between stages and between replicas, with the bytes that all chips send.</summary>
    private IEnumerable<(ExchangeRun Run, long Sent)> Outside(int last, ExchangeCost send, SimTime sends, (LinkStream Gradients, LinkStream Parameters) streams)
    {
        if (_plan.Pipeline > 1)
        {
            long passes = (Sections(ModelPass.Backward).Any() ? 2L : 1L) * _plan.MicroBatches;
            var run = new ExchangeRun("activations between stages", "send", 2, send.Algorithm, send.Sent, send.Sent, send.Time, passes, sends);
            yield return (run, checked(send.Sent.Value * passes * (_plan.Pipeline - 1) * _plan.Tensor * _plan.Data));
        }

        foreach ((string name, CollectiveFunction function, LinkStream stream) in ((string, CollectiveFunction, LinkStream)[])
            [("gradients between replicas", Reduction, streams.Gradients), ("parameters between replicas", CollectiveFunction.AllGather, streams.Parameters)])
        {
            if (stream.Busy > SimTime.Zero)
            {
                ExchangeCost[] costs = [.. Enumerable.Range(0, _plan.Pipeline).Select(stage => Replicas(function, Held(stage), _plan.Data, _plan.Tensor))];
                var run = new ExchangeRun(name, new Collective("", function, 1, 1, 1).Kind, _plan.Data, costs[last].Algorithm, Held(last), costs[last].Sent, stream.Busy, 1, stream.Exposed);
                yield return (run, checked(costs.Sum(cost => cost.Sent.Value) * _plan.Tensor * _plan.Data));
            }
        }
    }

    /// <summary>Gradients that a chip of a stage exchanges, and as many parameters.</summary>
    private Bytes Held(int stage) => Sections(ModelPass.Backward).Aggregate(Bytes.Zero, (sum, i) =>
        sum + ((_group.Sections[i].Gradients + (_plan.Data > _plan.Expert ? _group.Sections[i].ExpertGradients : Bytes.Zero)) * _stages.Repeats[i][stage]));
}
