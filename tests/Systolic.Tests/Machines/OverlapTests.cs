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

    // Linked operators do what a fused kernel is written for: activations stay on chip, weights run through. 143 us against 127.
    [Fact]
    public void The_feed_forward_block_of_a_decode_step_takes_little_longer_than_the_fused_kernel()
    {
        Accelerator core = MachinePresets.Accelerator("trn2-core");
        GraphSection layer = Presets.Graph(ModelPresets.Load("llama-3-8b") with { Intermediate = 1792 }, "layer decode", batch: 1, tokens: 128).Sections.Single();
        ImmutableArray<Operator> block = [.. layer.Operators.Where(op => op.Name.Contains("mlp", StringComparison.Ordinal) && !op.Name.EndsWith("residual", StringComparison.Ordinal))];
        block.Select(op => op.Name.Split('/')[^1]).Should().Equal("mlp_norm", "gate_proj", "up_proj", "activation", "down_proj");
        RunReport linked = new SystolicMachine(core).Run(new OperatorGraph("mlp", "mlp", [layer with { Operators = block }]), cancellation: TestContext.Current.CancellationToken);
        SimTime fused = Simulator.Run(DecodeMlpKernel.Write(core, new DecodeMlpShape(1, 4096, 1792, NormFunction.Rms)), core, cancellation: TestContext.Current.CancellationToken).Time;
        (linked.Time.Seconds / fused.Seconds).Should().BeInRange(0.9, 1.15);
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
