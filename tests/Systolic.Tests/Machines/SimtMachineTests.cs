using CsCheck;
using Systolic.Accounting;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Reporting;
using Systolic.Simt;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Machines;

public sealed class SimtMachineTests
{
    private static readonly Gen<SimtMachine> AnyMachine = OneOf(SimtPresets.Names).Select(SimtPresets.Load);

    private static readonly Gen<DataType> AnyType = OneOf(DataType.Fp32, DataType.Tf32, DataType.Bf16, DataType.Fp16, DataType.Fp8E4M3, DataType.Int8);

    private static readonly Gen<TensorRole> AnyRole = OneOf(TensorRole.Activation, TensorRole.Weight, TensorRole.KvCache, TensorRole.OptimizerState);

    private static readonly Gen<Operator> AnyProduct =
        Gen.Select(Gen.Long[1, 9000], Gen.Long[1, 9000], Gen.Long[1, 9000], Gen.Long[1, 5], AnyType, AnyRole)
            .Select((m, k, n, batch, type, role) => (Operator)new MatMul("product", m, k, n, batch) { Type = type, OutputType = type, Inputs = [new("x"), new("w", role)] });

    private static readonly Gen<Operator> AnyAttention =
        Gen.Select(Gen.Long[1, 4], Gen.Long[1, 4], OneOf(1L, 4, 8), Gen.Long[1, 3000], Gen.Long[0, 3000], OneOf(64L, 80, 128, 192, 256), Gen.Int[0, 3])
            .Select((batch, kvHeads, group, queries, history, headDim, form) => (Operator)new Attention("attention", batch, kvHeads * group, kvHeads, queries, queries + history, headDim, (form & 1) == 1, form > 1)
            {
                Inputs = [new("q"), new("k", TensorRole.KvCache), new("v", TensorRole.KvCache)],
            });

    private static readonly Gen<Operator> AnyRows =
        Gen.Select(Gen.Long[1, 20000], Gen.Long[1, 20000], Gen.Int[0, 15], AnyRole).Select((rows, columns, form, role) => Rows(rows, columns, form) with { Inputs = [new("x", role)] });

    private static readonly Gen<Operator> AnyOperator = Gen.OneOf(AnyProduct, AnyAttention, AnyRows);

    private static Operator Rows(long rows, long columns, int form) => form switch
    {
        0 => new Norm("norm", NormFunction.Rms, rows, columns),
        1 => new Norm("norm", NormFunction.Layer, rows, columns, Backward: true),
        2 => new Softmax("softmax", rows, columns),
        3 => new Softmax("softmax", rows, columns, Backward: true),
        4 => new Rope("rope", rows, columns, columns),
        5 => new Embedding("embedding", rows, columns, 32000),
        6 => new Embedding("embedding", rows, columns, 32000, Backward: true),
        7 => new KvAppend("append", rows, columns),
        8 => new MoeRouting("routing", rows, columns, 1),
        9 => new MoePermute("dispatch", rows, columns, 2, Combine: false),
        10 => new MoePermute("combine", rows, columns, 2, Combine: true),
        11 => new CrossEntropy("loss", rows, columns),
        12 => new AdamW("step", rows, columns),
        13 => new Elementwise("add", ElementwiseFunction.Add, rows, columns),
        14 => new Elementwise("gelu", ElementwiseFunction.Gelu, rows, columns, Backward: true),
        _ => new Elementwise("gate", ElementwiseFunction.GatedSilu, rows, columns),
    };

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static OperatorRun RunOne(SimtMachine machine, Operator op) => machine.Run(OperatorGraph.Of(op)).Trace.Operators[0];

    [Fact]
    public void No_run_beats_its_lower_bound() =>
        Gen.Select(AnyMachine, AnyOperator).Sample((machine, op) =>
        {
            RunTrace trace = machine.Run(OperatorGraph.Of(op)).Trace;
            OperatorRun run = trace.Operators[0];
            run.Time.Should().BeGreaterThan(run.Bound.Time);
            trace.Time.Should().BeGreaterThan(trace.Bound.Time);
        }, iter: 300);

    [Fact]
    public void The_stack_sums_to_the_time_and_no_engine_is_busy_for_longer() =>
        Gen.Select(AnyMachine, AnyOperator).Sample((machine, op) =>
        {
            OperatorRun run = RunOne(machine, op);
            run.Stack.Total.Should().Be(run.Time);
            run.Busy.Should().HaveCount(5).And.OnlyContain(busy => busy >= SimTime.Zero && busy <= run.Time);
        }, iter: 120);

    [Fact]
    public void Counts_hold_at_least_the_useful_work_and_the_compulsory_bytes() =>
        Gen.Select(AnyMachine, AnyOperator).Sample((machine, op) =>
        {
            OperatorRun run = RunOne(machine, op);
            run.Counts.Macs.Should().BeGreaterThanOrEqualTo(op.Macs.Value);
            run.Counts.DramBytes.Should().BeGreaterThanOrEqualTo(OperatorGraph.Of(op).CompulsoryBytes.Value);
        }, iter: 120);

    // Warps that come earlier may take another order, and plans are bounded before few are simulated: a greedy schedule is not monotone (Graham 1969).
    private const double Anomaly = 0.25;

    [Fact]
    public void More_bandwidth_is_never_slower() =>
        Gen.Select(AnyMachine, AnyOperator, Gen.Double[1.01, 4]).Sample((machine, op, factor) =>
        {
            DeviceMemorySpec memory = machine.Spec.Memory;
            var faster = new SimtMachine(machine.Spec with { Memory = memory with { Peak = memory.Peak * factor } });
            RunOne(faster, op).Time.Seconds.Should().BeLessThanOrEqualTo(RunOne(machine, op).Time.Seconds * (1 + Anomaly));
        }, iter: 80);

    [Fact]
    public void A_faster_clock_is_never_slower() =>
        Gen.Select(AnyMachine, AnyOperator, Gen.Double[1.01, 4]).Sample((machine, op, factor) =>
        {
            var faster = new SimtMachine(machine.Spec with { MaximumClock = Frequency.FromMegahertz(machine.Spec.MaximumClock.Hertz * factor / 1e6) });
            RunOne(faster, op).Time.Seconds.Should().BeLessThanOrEqualTo(RunOne(machine, op).Time.Seconds * (1 + Anomaly));
        }, iter: 80);

    [Fact]
    public void A_higher_power_cap_is_never_slower() =>
        Gen.Select(AnyMachine, AnyOperator).Sample((machine, op) =>
        {
            var hotter = new SimtMachine(machine.Spec with { Power = machine.Spec.Power with { Cap = machine.Spec.Power.Cap * 1.5 } });
            RunOne(hotter, op).Time.Seconds.Should().BeLessThanOrEqualTo(RunOne(machine, op).Time.Seconds * (1 + Anomaly));
        }, iter: 60, seed: "02388bmC1ue2");

    [Fact]
    public void Equal_runs_give_equal_traces() =>
        Gen.Select(AnyMachine, AnyOperator).Sample((machine, op) =>
        {
            OperatorRun first = RunOne(machine, op);
            OperatorRun second = RunOne(machine, op);
            second.Time.Should().Be(first.Time);
            second.Mapping.Should().Be(first.Mapping);
            second.Counts.Should().Be(first.Counts);
        }, iter: 50);

    [Fact]
    public void Sections_repeat_and_spans_follow_each_other()
    {
        var norm = new Norm("norm", NormFunction.Rms, 128, 4096);
        var product = new MatMul("product", 128, 4096, 4096);
        var head = new MatMul("head", 128, 4096, 32000);
        var graph = new OperatorGraph("toy", "test", [new GraphSection("layer", 3, [norm, product]), new GraphSection("end", 1, [head])]);
        RunTrace trace = SimtPresets.Load("h100").Run(graph, new RunOptions { CollectSpans = true }, cancellation: TestContext.Current.CancellationToken).Trace;

        trace.Operators.Select(run => run.Name).Should().Equal("layer/norm", "layer/product", "end/head");
        SimTime layer = trace.Operators[0].Time + trace.Operators[1].Time;
        trace.Time.Should().Be((layer * 3) + trace.Operators[2].Time);
        trace.Spans.Select(span => span.Start).Should().Equal(SimTime.Zero, trace.Operators[0].Time, layer * 3);
        SimtPresets.Load("h100").Run(graph, cancellation: TestContext.Current.CancellationToken).Trace.Spans.Should().BeEmpty();
    }

    [Fact]
    public void A_queued_kernel_pays_the_stream_launch_and_a_graph_kernel_less()
    {
        SimtMachine graph = SimtPresets.Load("h200");
        var stream = new SimtMachine(graph.Spec with { Launch = graph.Spec.Launch with { Mode = LaunchMode.Stream } });
        var op = new Elementwise("add", ElementwiseFunction.Add, 64, 4096);
        // 2.4 us - 1.26 us = 1.14 us
        (RunOne(stream, op).Time - RunOne(graph, op).Time).Microseconds.Should().BeApproximately(1.14, 1e-6);
        RunOne(graph, op).Stack[CycleComponent.Launch].Microseconds.Should().BeApproximately(1.26, 1e-6);
    }

    [Fact]
    public void A_weight_never_hides_in_the_cache_but_a_small_activation_does()
    {
        SimtMachine machine = SimtPresets.Load("h100");
        var op = new Elementwise("add", ElementwiseFunction.Add, 256, 4096);
        Operator weights = op with { Inputs = [new("a", TensorRole.Weight), new("b", TensorRole.Weight)] };
        const long bytes = 2 * 256 * 4096 * 2;
        RunOne(machine, weights).Counts[ActivityKind.DramReadByte].Should().BeGreaterThanOrEqualTo(bytes);
        RunOne(machine, op).Counts[ActivityKind.DramReadByte].Should().BeLessThan(bytes / 100);
    }

    [Fact]
    public void Fp32_products_run_on_the_cuda_cores()
    {
        OperatorRun run = RunOne(SimtPresets.Load("h100"), new MatMul("product", 2048, 2048, 2048) { Type = DataType.Fp32, OutputType = DataType.Fp32 });
        run.Busy[0].Should().Be(SimTime.Zero);
        run.Busy[1].Should().BeGreaterThan(SimTime.Zero);
        run.Counts[ActivityKind.MacFp32].Should().BeGreaterThanOrEqualTo(2048L * 2048 * 2048);
        run.Counts[ActivityKind.TensorCoreControl].Should().Be(0);
    }

    [Fact]
    public void Tile_padding_is_counted_but_not_useful()
    {
        // One row still takes a tile of 64 rows: 64 x 4096 x 4096 MACs in the tensor cores.
        OperatorRun run = RunOne(SimtPresets.Load("a100-80gb"), new MatMul("product", 1, 4096, 4096));
        run.UsefulMacs.Value.Should().Be(4096L * 4096);
        run.Counts[ActivityKind.MacBf16].Should().Be(4096L * 4096);
        run.Counts[ActivityKind.MacPadding].Should().Be(63L * 4096 * 4096);
        run.Counts[ActivityKind.TensorCoreControl].Should().Be(64L * 4096 * 4096);
        run.Counts[ActivityKind.SimtWarpIssue].Should().Be(64L * 4096 * 4096 / 2048);
    }

    [Fact]
    public void Collectives_and_unknown_types_are_refused_with_a_remedy()
    {
        SimtMachine machine = SimtPresets.Load("h100");
        machine.Invoking(m => m.Run(OperatorGraph.Of(new Collective("sum", CollectiveFunction.AllReduce, 8, 8, 2))))
            .Should().Throw<CapacityException>().WithMessage("h100: no SIMT kernel for \"all-reduce\"*tensor-parallel degree of 1.");
        machine.Invoking(m => m.Run(OperatorGraph.Of(new MatMul("product", 8, 8, 8) { Type = DataType.Int32 })))
            .Should().Throw<CapacityException>().WithMessage("h100 multiplies no int32.*tensorCores.runsAs*");
    }

    [Fact]
    public void A_cancelled_run_stops()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        Action run = () => SimtPresets.Load("h100").Run(OperatorGraph.Of(new MatMul("product", 8, 8, 8)), cancellation: source.Token);
        run.Should().Throw<OperationCanceledException>();
    }

    [Fact]
    public void The_profile_names_the_matrix_engine_among_the_engines()
    {
        RunReport report = SimtPresets.Load("h200").Run(OperatorGraph.Of(new MatMul("product", 8, 8, 8)), cancellation: TestContext.Current.CancellationToken);
        report.Machine.Clock.Frequency.Should().Be(Frequency.FromMegahertz(1830));
        report.Trace.Engines[0].Name.Should().Be(report.Machine.MatrixEngine);
        report.Machine.Energy.Should().Be(new EnergyModel(5, "simt", Power.FromWatts(72), Power.FromWatts(170))
        {
            MemoryBackground = Power.FromWatts(12),
            Cap = Power.FromWatts(700),
            ActiveIsAssumed = true,
        });
    }
}
