using System.Collections.Immutable;
using FluentAssertions.Execution;
using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Simulation;
using Systolic.Tests.Workloads;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Machines;

public sealed class SystolicMachineTests
{
    private static readonly RunOptions Isolated = new() { Overlap = false };

    public static TheoryData<string, string, string> ShardedLayers => new()
    {
        { "trn1", "gpt2", "layer prefill" },
        { "trn2", "gpt2", "layer training" }, // 12 heads on 8 cores: uneven ranks
        { "trn2", "llama-3-8b", "layer decode" },
        { "trn3", "mixtral-8x7b", "layer prefill" },
        { "trn2", "t5-base", "layer recompute" },
    };

    [Theory]
    [MemberData(nameof(ShardedLayers))]
    public void Without_overlap_a_chip_counts_what_its_ranks_count_and_takes_as_long_as_the_slowest(string name, string model, string phase)
    {
        Accelerator machine = MachinePresets.Accelerator(name);
        OperatorGraph graph = Presets.Graph(model, phase, batch: 1, tokens: 128);
        ImmutableArray<OperatorRun> runs = new SystolicMachine(machine).Run(graph, Isolated, cancellation: TestContext.Current.CancellationToken).Trace.Operators;
        ShardedOperator[] operators = [.. TensorParallel.Shard(graph, machine.Cores).Sections.SelectMany(section => section.Operators)];
        runs.Should().HaveCount(operators.Length);
        using var scope = new AssertionScope();
        foreach ((OperatorRun run, ShardedOperator op) in runs.Zip(operators))
        {
            Alone[] ranks = [.. op.Ranks.OfType<Operator>().Select(rank => Alone.Of(rank, machine))];
            var counts = new ActivityCounts();
            foreach (Alone rank in ranks)
            {
                counts.Add(rank.Counts, 1);
            }

            run.Counts.Equals(counts).Should().BeTrue(run.Name);
            run.Time.Should().Be(ranks.Max(rank => rank.Time), run.Name);
            run.Busy.Select(busy => busy.Value).Should().Equal(Enumerable.Range(0, run.Busy.Length).Select(i => ranks.Sum(rank => rank.Busy[i])), run.Name);
        }
    }

    [Theory]
    [InlineData("trn1-core")]
    [InlineData("trn2")]
    public void Layers_that_repeat_take_as_often_the_time_of_one(string name)
    {
        IMachine machine = MachinePresets.Load(name);
        GraphSection layer = Presets.Graph("gpt2", "layer prefill", batch: 1, tokens: 128).Sections[0];
        RunReport Run(params GraphSection[] sections) => machine.Run(new OperatorGraph("layers", "test", [.. sections]), cancellation: TestContext.Current.CancellationToken);
        RunReport once = Run(layer);
        RunReport repeated = Run(layer with { Repeat = 7 });
        RunReport written = Run([.. Enumerable.Repeat(layer, 7)]);

        SimTime overhead = once.Trace.Overhead.Total;
        overhead.Should().BeGreaterThan(SimTime.Zero);
        repeated.Time.Should().Be(overhead + ((once.Time - overhead) * 7));
        var counts = new ActivityCounts();
        counts.Add(once.Counts, 7);
        repeated.Counts.Should().Be(counts);
        repeated.Trace.Bound.Memory.Value.Should().BeCloseTo(once.Trace.Bound.Memory.Value * 7, 7);

        written.Time.Should().Be(repeated.Time);
        written.Counts.Should().Be(repeated.Counts);
        written.Energy.Joules.Should().BeApproximately(repeated.Energy.Joules, 1e-12 * written.Energy.Joules);
    }

    [Fact]
    public void Without_overlap_an_operator_takes_the_same_time_wherever_it_stands()
    {
        IMachine machine = MachinePresets.Load("trn2-core");
        OperatorGraph graph = Presets.Graph("llama-3-8b", "layer prefill", batch: 1, tokens: 128);
        foreach ((OperatorRun run, Operator op) in machine.Run(graph, Isolated, cancellation: TestContext.Current.CancellationToken).Trace.Operators.Zip(graph.Sections[0].Operators))
        {
            OperatorRun alone = machine.Run(OperatorGraph.Of(op), cancellation: TestContext.Current.CancellationToken).Trace.Operators[0];
            (alone.Time, alone.Mapping).Should().Be((run.Time, run.Mapping), op.Name);
            alone.Counts.Should().Be(run.Counts, op.Name);
        }
    }

    // 13 us of program overhead, once, and nothing else around the operators.
    [Fact]
    public void The_program_overhead_is_paid_once()
    {
        RunReport report = MachinePresets.Load("trn1").Run(Presets.Graph("gpt2", "decode", batch: 1, tokens: 20), cancellation: TestContext.Current.CancellationToken);
        report.Trace.Overhead.Total.Should().Be(SimTime.FromMicroseconds(13));
        report.CycleStack[CycleComponent.Launch].Should().Be(SimTime.FromMicroseconds(13));
    }

    [Theory]
    [InlineData("trn2")]
    [InlineData("h100")]
    public void Progress_tells_every_operator_once_and_ends_with_the_last(string name)
    {
        OperatorGraph graph = Presets.Graph("gpt2", "prefill", batch: 1, tokens: 128);
        var told = new Recorder();
        RunReport report = MachinePresets.Load(name).Run(graph, progress: told, cancellation: TestContext.Current.CancellationToken);
        told.Reports.Select(report => report.Done).Should().Equal(Enumerable.Range(1, report.Trace.Operators.Length));
        told.Reports.Select(report => report.Current).Should().Equal(report.Trace.Operators.Select(op => op.Name));
        told.Reports.Should().OnlyContain(progress => progress.Total == report.Trace.Operators.Length);
    }

    [Theory]
    [InlineData("trn2")]
    [InlineData("h100")]
    public void A_run_cancelled_in_its_middle_stops_there(string name)
    {
        using var source = new CancellationTokenSource();
        var told = new Recorder(progress =>
        {
            if (progress.Done == 3)
            {
                source.Cancel();
            }
        });
        Action run = () => MachinePresets.Load(name).Run(Presets.Graph("gpt2", "prefill", batch: 1, tokens: 128), progress: told, cancellation: source.Token);
        run.Should().Throw<OperationCanceledException>();
        told.Reports.Should().HaveCount(3, "no operator finishes after the one that was cancelled behind");
    }

    [Fact]
    public void A_cancelled_run_does_nothing()
    {
        var told = new Recorder();
        Action run = () => MachinePresets.Load("trn1-core").Run(OperatorGraph.Of(new MatMul("product", 64, 64, 64)), progress: told, cancellation: new CancellationToken(canceled: true));
        run.Should().Throw<OperationCanceledException>();
        told.Reports.Should().BeEmpty();
    }

    [Theory]
    [InlineData("trn1-core", "gpt2", "layer training")]
    [InlineData("trn2", "gpt2", "prefill")]
    [InlineData("trn3-core", "mixtral-8x7b", "layer decode")]
    public void Spans_lie_within_the_run_and_no_engine_does_two_things_at_once(string name, string model, string phase)
    {
        OperatorGraph graph = Presets.Graph(model, phase, batch: 1, tokens: 128);
        IMachine machine = MachinePresets.Load(name);
        RunReport report = machine.Run(graph, new RunOptions { CollectSpans = true }, cancellation: TestContext.Current.CancellationToken);
        report.Trace.Spans.Should().HaveCountGreaterThan(400);
        report.Trace.Spans.Should().OnlyContain(span => span.Duration > SimTime.Zero && span.Start >= report.Trace.Overhead.Total && span.Start + span.Duration <= report.Time);
        report.Trace.Spans.Max(span => (span.Start + span.Duration).Value).Should().BeLessThanOrEqualTo(report.Time.Value);
        foreach (string engine in new[] { "tensor", "vector", "scalar", "gpsimd" })
        {
            Overlaps(report.Trace.Spans, engine).Should().BeEmpty(engine);
        }

        machine.Run(graph, cancellation: TestContext.Current.CancellationToken).Time.Should().Be(report.Time, "recording changes nothing");
    }

    private static IEnumerable<(Span, Span)> Overlaps(IEnumerable<Span> spans, string track)
    {
        Span[] ordered = [.. spans.Where(span => span.Track == track).OrderBy(span => span.Start)];
        return ordered.Zip(ordered.Skip(1)).Where(pair => pair.First.Start + pair.First.Duration > pair.Second.Start);
    }

    /// <summary>One rank's operator, lowered and simulated by itself.</summary>
    private sealed record Alone(SimTime Time, ActivityCounts Counts, long[] Busy)
    {
        public static Alone Of(Operator op, Accelerator machine)
        {
            (var time, var counts, long[] busy) = (SimTime.Zero, new ActivityCounts(), new long[Simulator.Engines.Length]);
            foreach (LoweredPass pass in KernelLibrary.Lower(op, machine, false, new MatMulMappings().Choose).Passes)
            {
                CoreRun run = Simulator.Run(pass.Program, machine);
                time += run.Time * pass.Repeat;
                counts.Add(run.Counts, pass.Repeat);
                busy = [.. busy.Zip(run.Busy, (sum, part) => sum + (part.Value * pass.Repeat))];
            }

            return new Alone(time, counts, busy);
        }
    }

    private sealed class Recorder(Action<RunProgress>? then = null) : IProgress<RunProgress>
    {
        public List<RunProgress> Reports { get; } = [];

        public void Report(RunProgress value)
        {
            Reports.Add(value);
            then?.Invoke(value);
        }
    }
}
