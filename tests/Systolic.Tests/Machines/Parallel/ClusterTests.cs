using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Components;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Simt;
using Systolic.Tests.Workloads;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Machines;

public class ClusterTests
{
    private static readonly ParallelPlan Wide = new() { Tensor = 2, Pipeline = 3, Data = 4, MicroBatches = 5 };

    public static TheoryData<string, string, string> Runs => new()
    {
        { "trn1", "gpt2", "training" },
        { "trn2", "mixtral-8x7b", "decode" },
        { "h100", "gpt2", "training" },
        { "h100", "t5-base", "prefill" },
        { "a100-80gb", "mixtral-8x7b", "training" },
    };

    [Fact]
    public void What_replicas_share_is_not_in_the_bound_of_each()
    {
        // On links that cost nothing, experts and optimizer over 4 replicas.
        OperatorGraph graph = Presets.Graph("mixtral-8x7b", "training", batch: 1, tokens: 16);
        IMachine free = WithLinks(level => level with { Bandwidth = Bandwidth.Parse("1000000 TB/s"), Latency = SimTime.Zero });

        RunReport report = Run(new Cluster(free, new ParallelPlan { Data = 4, Expert = 4, ShardOptimizer = true }), graph);

        report.Time.Should().BeGreaterThanOrEqualTo(report.LowerBound.Time);
        report.LowerBound.Memory.Should().BeLessThan(Run(free, graph).LowerBound.Memory);
    }

    [Theory]
    [InlineData("trn1")]
    [InlineData("h100")]
    public void A_plan_of_one_chip_is_the_chip_s_own_run(string machine)
    {
        IMachine chip = MachinePresets.Load(machine);
        OperatorGraph graph = Presets.Graph("gpt2", "layer training", batch: 1, tokens: 128);

        RealRuns.Json(Run(new Cluster(chip, ParallelPlan.OneChip), graph)).Should().Equal(RealRuns.Json(Run(chip, graph)));
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void The_chips_do_the_graph_s_products_between_them(string machine, string model, string phase)
    {
        OperatorGraph graph = Presets.Graph(model, phase, batch: 1, tokens: 128);

        RunReport report = Run(new Cluster(MachinePresets.Load(machine), Wide), graph);

        report.UsefulFlops.Should().BeApproximately(graph.Macs.Flops * Wide.AllMicroBatches, 1);
        report.Tokens.Should().Be(graph.Tokens * 20);
        report.CycleStack.Total.Should().Be(report.Time);
        report.Time.Should().BeGreaterThanOrEqualTo(report.LowerBound.Time);
        report.Trace.Operators.Should().OnlyContain(run => run.Stack.Total == run.Time).And.OnlyHaveUniqueItems(run => run.Name);
        report.Trace.Parallel!.Exchanges.Should().OnlyContain(exchange => exchange.Exposed >= SimTime.Zero && exchange.Hidden >= SimTime.Zero);
        report.Mfu.Should().BeInRange(0, 1);
        report.Machine.Name.Should().Be($"24 x {machine}");
    }

    [Fact]
    public void Counted_products_are_those_of_one_chip_as_often_as_there_are_sequences()
    {
        // GPUs count what they multiply, tiles padded, so of a GPU only replicas and stages count alike.
        OperatorGraph graph = Presets.Graph("gpt2", "training", batch: 1, tokens: 128);
        IMachine chip = MachinePresets.H100;

        Run(new Cluster(chip, new ParallelPlan { Pipeline = 3, Data = 2, MicroBatches = 4 }), graph).Counts.Macs.Should().Be(8 * Run(chip, graph).Counts.Macs);
    }

    [Fact]
    public void Micro_batches_of_one_chip_take_as_often_the_time_but_for_the_optimizer()
    {
        OperatorGraph graph = Presets.Graph("gpt2", "training", batch: 1, tokens: 128);
        RunReport one = Run(MachinePresets.Trn1, graph), four = Run(new Cluster(MachinePresets.Trn1, new ParallelPlan { MicroBatches = 4 }), graph);

        SimTime optimizer = one.Trace.Operators.Where(run => run.Kind == "adamw").Aggregate(SimTime.Zero, (sum, run) => sum + (run.Time * run.Repeat));
        four.Time.Should().Be(((one.Time - one.Trace.Overhead.Total - optimizer) * 4) + one.Trace.Overhead.Total + optimizer);
        four.Energy.Joules.Should().BeLessThan(4 * one.Energy.Joules);
    }

    [Fact]
    public void Equal_stages_leave_the_bubble_of_the_formula()
    {
        // Four layers on four stages, without embeddings and head, on links that cost nothing: (p - 1) / m = 3/6 of the work.
        GraphSection layer = Presets.Graph("gpt2", "layer prefill", batch: 1, tokens: 128).Sections[0];
        var graph = new OperatorGraph("layers", "test", [layer with { Repeat = 4 }]);
        IMachine free = WithLinks(level => level with { Bandwidth = Bandwidth.Parse("1000000 TB/s"), Latency = SimTime.Zero });

        RunReport report = Run(new Cluster(free, new ParallelPlan { Pipeline = 4, MicroBatches = 6 }), graph);

        SimTime pass = Run(free, new OperatorGraph("layer", "test", [layer])).Time;
        report.Trace.Parallel!.Bubble.Seconds.Should().BeApproximately(3 * pass.Seconds, 1e-6 * pass.Seconds);
        report.CycleStack[CycleComponent.PipelineBubble].Should().Be(report.Trace.Parallel.Bubble);
    }

    [Fact]
    public void Gradients_hide_behind_the_backward_pass_until_the_links_are_too_slow()
    {
        OperatorGraph graph = Presets.Graph("gpt2", "training", batch: 8, tokens: 512);
        ExchangeRun Gradients(string bandwidth) => Run(new Cluster(WithLinks(level => level with { Bandwidth = Bandwidth.Parse(bandwidth) }), new ParallelPlan { Data = 8, ShardOptimizer = true }), graph)
            .Trace.Parallel!.Exchanges.Single(exchange => exchange.Name == "gradients between replicas");

        ExchangeRun fast = Gradients("100 GB/s"), slow = Gradients("100 MB/s");

        // 124 million parameters in bf16; the last to be reduced are the rows of the tables that 4,096 tokens touched.
        fast.Bytes.Should().Be(slow.Bytes).And.BeGreaterThan(new Bytes(2 * 124_000_000));
        fast.Function.Should().Be("reduce-scatter");
        (fast.Exposed.Seconds / fast.Time.Seconds).Should().BeInRange(0.01, 0.15);
        (slow.Exposed.Seconds / slow.Time.Seconds).Should().BeInRange(0.9, 1);
    }

    [Theory]
    [InlineData("prefill")]
    [InlineData("training")]
    public void A_chip_s_operators_read_what_those_before_them_wrote(string phase)
    {
        OperatorGraph graph = Presets.Graph("llama-3-8b", phase, batch: 1, tokens: 16);
        var chip = new Recorder(MachinePresets.H100);

        _ = Run(new Cluster(chip, new ParallelPlan { Tensor = 4 }), graph);

        string[] Inputs(OperatorGraph whole) => [.. whole.Sections.Single(section => section.Name == "layer").Inputs.Select(input => input.Operand.Name)];
        Inputs(chip.Graph!).Should().Equal(Inputs(graph));
        chip.Graph!.Sections.SelectMany(section => section.Operators).Should().NotContain(op => op is Collective);
    }

    [Fact]
    public void Bytes_on_the_links_are_counted_where_they_are_sent()
    {
        // Two replicas of two stages. Activations: 8 x 512 tokens of 768 features in bf16, there and back, in 3 micro-batches. Gradients: between two chips each sends as much as it holds.
        OperatorGraph graph = Presets.Graph("gpt2", "training", batch: 8, tokens: 512);
        RunReport report = Run(new Cluster(MachinePresets.H100, new ParallelPlan { Pipeline = 2, Data = 2, MicroBatches = 3 }), graph);

        ImmutableArray<OperatorRun> runs = report.Trace.Operators;
        runs.Single(run => run.Name == "activations between stages").Counts[ActivityKind.LinkByte].Should().Be(8L * 512 * 768 * 2 * 2 * 3 * 2);
        long gradients = graph.Sections.Sum(section => section.Repeat * section.Operators.Sum(op => op.Writes.Where(tensor => tensor.Operand.Role == TensorRole.WeightGradient).Sum(tensor => tensor.Size.Value)));
        runs.Single(run => run.Name == "gradients between replicas").Counts[ActivityKind.LinkByte].Should().Be(2 * gradients);
        report.EnergyBreakdown.Parts.Single(part => part.Component == "links").Value.Should().BeGreaterThan(Energy.Zero);
    }

    [Fact]
    public void More_link_bandwidth_is_never_slower()
    {
        OperatorGraph graph = Presets.Graph("mixtral-8x7b", "training", batch: 1, tokens: 128);
        SimTime[] times = [.. new[] { "1 GB/s", "5 GB/s", "25 GB/s", "125 GB/s" }.Select(bandwidth => Run(
            new Cluster(WithLinks(level => level with { Bandwidth = Bandwidth.Parse(bandwidth) }), Wide with { Expert = 4, ShardOptimizer = true }), graph).Time)];

        times.Should().BeInDescendingOrder();
    }

    [Fact]
    public void Expert_parallelism_reads_each_expert_on_fewer_chips_and_exchanges_tokens()
    {
        OperatorGraph graph = Presets.Graph("mixtral-8x7b", "prefill", batch: 1, tokens: 128);
        RunReport Divided(int experts) => Run(new Cluster(MachinePresets.H100, new ParallelPlan { Data = 4, Expert = experts }), graph);

        RunReport alone = Divided(1), shared = Divided(4);

        shared.UsefulFlops.Should().Be(alone.UsefulFlops);
        shared.Time.Should().BeGreaterThanOrEqualTo(shared.LowerBound.Time);
        shared.Counts.DramBytes.Should().BeLessThan(alone.Counts.DramBytes / 2);
        shared.Trace.Parallel!.Exchanges.Should().HaveCount(2).And.OnlyContain(exchange => exchange.Function == "all-to-all" && exchange.Chips == 4 && exchange.Repeat == 32);

        // Two copies of 128 tokens of 4,096 features in bf16.
        shared.Trace.Parallel.Exchanges[0].Bytes.Should().Be(new Bytes(2 * 128 * 4096 * 2));
    }

    [Theory]
    [InlineData(13, 1, 1, 1, "found tensor parallelism of 13 chips, expected at most 12")]
    [InlineData(1, 13, 1, 1, "found 13 pipeline stages, expected at most 12, one per layer; use more tensor ranks or replicas")]
    [InlineData(1, 1, 4, 3, "found expert parallelism of 3 among 4 replicas, expected a divisor")]
    [InlineData(1, 1, 4, 2, "found expert parallelism of 2 for 1 experts, expected a divisor; a dense model takes 1")]
    [InlineData(0, 1, 1, 1, "expected degrees of at least 1")]
    public void An_impossible_plan_is_refused_with_a_remedy(int tensor, int pipeline, int data, int expert, string message)
    {
        OperatorGraph graph = Presets.Graph("gpt2", "prefill", batch: 1, tokens: 16);
        Action run = () => Run(new Cluster(MachinePresets.H100, new ParallelPlan { Tensor = tensor, Pipeline = pipeline, Data = data, Expert = expert }), graph);

        run.Should().Throw<ArgumentException>().WithMessage($"*{message}*");
    }

    [Fact]
    public void Links_that_do_not_reach_are_told()
    {
        Action build = () => _ = new Cluster(MachinePresets.Load("inf2"), new ParallelPlan { Data = 13 });

        build.Should().Throw<CapacityException>().WithMessage("inf2: found a plan of 13 chips*expected at most the 12 that its links reach*links.levels*");
    }

    [Theory]
    [InlineData("gpt2", "training", 5)]
    [InlineData("t5-base", "training", 7)]
    [InlineData("llama-3-8b", "decode", 32)]
    public void Every_layer_lies_on_one_stage(string model, string phase, int count)
    {
        OperatorGraph graph = Presets.Graph(model, phase, batch: 1, tokens: 16);
        var stages = PipelineStages.Of(graph, count);

        stages.Repeats.Select(repeats => repeats.Sum()).Should().Equal(graph.Sections.Select(section => section.Repeat));
        ImmutableArray<GraphSection> first = stages.OfStage(0).Sections, last = stages.OfStage(count - 1).Sections;
        first.Should().Contain(section => section.Name.EndsWith("embedding")).And.NotContain(section => section.Name == "head");
        last.Should().Contain(section => section.Name == "head").And.NotContain(section => section.Name.EndsWith("embedding"));
        foreach (ModelPass pass in new[] { ModelPass.Forward, ModelPass.Backward })
        {
            long[] layers = [.. Enumerable.Range(0, count).Select(stage => stages.OfStage(stage).Sections.Where(section => section.Pass == pass && section.Name.Contains("layer")).Sum(section => section.Repeat))];
            (layers.Max() - layers.Min()).Should().BeLessThanOrEqualTo(1);
        }
    }

    /// <summary>Keeps the graph that a machine is given.</summary>
    private sealed class Recorder(IMachine machine) : IMachine
    {
        public OperatorGraph? Graph { get; private set; }

        public MachineProfile Profile => machine.Profile;

        public LinkFabric? Links => machine.Links;

        public RunReport Run(OperatorGraph graph, RunOptions? options = null, IProgress<RunProgress>? progress = null, CancellationToken cancellation = default) =>
            machine.Run(Graph = graph, options, progress, cancellation);
    }

    private static SimtMachine WithLinks(Func<LinkLevel, LinkLevel> change)
    {
        SimtSpec spec = SimtPresets.Load("h100").Spec;
        return new SimtMachine(spec with { Links = new LinkFabric([.. spec.Links!.Levels.Select(change)]) });
    }

    private static RunReport Run(IMachine machine, OperatorGraph graph) => machine.Run(graph, new RunOptions { IgnoreCapacity = true }, cancellation: TestContext.Current.CancellationToken);
}
