using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Simulation;
using Systolic.Tests.Workloads;
using Systolic.Units;
using Systolic.Workloads;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Machines;

/// <summary>Operators that overlap against operators one after the other.</summary>
public sealed class OverlapTests
{
    [Theory]
    [InlineData("trn1-core", "gpt2", "layer prefill")]
    [InlineData("trn2", "gpt2", "layer decode")] // one token: one core normalizes, all others load weights
    [InlineData("trn2", "gpt2", "layer training")] // 12 heads on 8 cores: uneven ranks
    [InlineData("trn3", "mixtral-8x7b", "layer decode")]
    [InlineData("trn2-core", "t5-base", "layer recompute")]
    public void Overlap_saves_time_and_changes_no_work(string name, string model, string phase)
    {
        IMachine machine = MachinePresets.Load(name);
        OperatorGraph graph = Presets.Graph(model, phase, batch: 1, tokens: 128);
        RunReport overlapped = machine.Run(graph, cancellation: TestContext.Current.CancellationToken);
        RunReport isolated = machine.Run(graph, new RunOptions { Overlap = false }, cancellation: TestContext.Current.CancellationToken);

        overlapped.Time.Should().BeLessThan(isolated.Time);
        overlapped.Counts.DramBytes.Should().BeLessThan(isolated.Counts.DramBytes, "some activations stay on chip");
        overlapped.Trace.Operators.Select(op => op.Name).Should().Equal(isolated.Trace.Operators.Select(op => op.Name));
        foreach ((OperatorRun one, OperatorRun other) in overlapped.Trace.Operators.Zip(isolated.Trace.Operators))
        {
            foreach (ActivityKind kind in Enum.GetValues<ActivityKind>().Where(kind => kind <= ActivityKind.WeightLoad || kind is ActivityKind.VectorOp or ActivityKind.SpecialFunctionOp or ActivityKind.EngineInstruction))
            {
                one.Counts[kind].Should().Be(other.Counts[kind], "{0}, {1}", one.Name, kind);
            }

            one.Counts.DramBytes.Should().BeLessThanOrEqualTo(other.Counts.DramBytes, one.Name);
            other.Time.Should().BeGreaterThanOrEqualTo(other.Bound.Time, "{0} runs alone", other.Name);
            foreach ((SimTime busy, EngineInfo engine) in other.Busy.Zip(isolated.Trace.Engines))
            {
                busy.Value.Should().BeInRange(0, other.Time.Value * engine.Instances, "{0} runs alone, {1}", other.Name, engine.Name);
            }
        }
    }

    // Linked operators do what fused kernels are written for: activations stay on chip, weights run through.
    [Theory]
    [InlineData("trn1-core", 1, 4096, 7168)] // Llama-3-8B on both cores of trn1
    [InlineData("trn1-core", 16, 4096, 1792)]
    [InlineData("trn2-core", 1, 4096, 1792)] // and on the eight of trn2
    [InlineData("trn2-core", 16, 4096, 1792)]
    [InlineData("trn2-core", 64, 8192, 3584)] // Llama-3-70B
    [InlineData("trn2-core", 1, 2048, 1024)]
    [InlineData("trn3-core", 1, 4096, 1792)]
    [InlineData("trn3-core", 64, 4096, 7168)]
    public void The_feed_forward_block_of_a_decode_step_is_about_as_fast_as_the_fused_kernel(string name, int batch, int hidden, int inner)
    {
        ModelShape shape = ModelPresets.Load("llama-3-8b") with { Hidden = hidden, Intermediate = inner };
        LinkedOverFused(name, shape, batch, ["mlp_norm", "gate_proj", "up_proj", "activation", "down_proj"], core => DecodeMlpKernel.Write(core, new DecodeMlpShape(batch, hidden, inner, NormFunction.Rms)))
            .Should().BeInRange(0.8, 1.12);
    }

    [Theory]
    [InlineData("trn2-core", 1, 4, 1)]
    [InlineData("trn2-core", 64, 4, 1)]
    [InlineData("trn3-core", 16, 4, 1)]
    public void The_projections_of_a_decode_step_are_about_as_fast_as_the_fused_kernel(string name, int batch, int queries, int keys)
    {
        ModelShape shape = ModelPresets.Load("llama-3-8b") with { QueryHeads = queries, KvHeads = keys };
        LinkedOverFused(name, shape, batch, ["attn_norm", "q_proj", "k_proj", "v_proj"], core => DecodeQkvKernel.Write(core, new DecodeQkvShape(batch, 4096, 128 * (queries + (2 * keys)), NormFunction.Rms)))
            .Should().BeInRange(0.7, 1.12);
    }

    private static double LinkedOverFused(string name, ModelShape shape, int batch, string[] operators, Func<Accelerator, Program> fused)
    {
        Accelerator core = MachinePresets.Accelerator(name);
        GraphSection layer = Presets.Graph(shape, "layer decode", batch, tokens: 128).Sections.Single();
        ImmutableArray<Operator> block = [.. operators.Select(last => layer.Operators.Single(op => op.Name.EndsWith('/' + last, StringComparison.Ordinal)))];
        RunReport linked = new SystolicMachine(core).Run(new OperatorGraph("block", "decode", [layer with { Operators = block }]), cancellation: TestContext.Current.CancellationToken);
        SimTime alone = Simulator.Run(fused(core), core, cancellation: TestContext.Current.CancellationToken).Time;
        return linked.Trace.Operators.Sum(op => op.Time.Seconds) / alone.Seconds;
    }

    [Fact]
    public void Tensors_without_names_overlap_nothing_of_what_came_before()
    {
        IMachine machine = MachinePresets.Load("trn2-core");
        MatMul product = new("product", 256, 256, 512);
        RunReport Run(params Operator[] operators) => machine.Run(new OperatorGraph("test", "test", [new GraphSection("section", 1, [.. operators])]), cancellation: TestContext.Current.CancellationToken);

        Run(product, product).Time.Should().BeGreaterThanOrEqualTo((Run(product).Time * 2) - Run(product).Trace.Overhead.Total - SimTime.FromMicroseconds(1));
    }
}
