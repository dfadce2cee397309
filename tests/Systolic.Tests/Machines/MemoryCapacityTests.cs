using System.Text.Json;
using Systolic.Accounting;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Workloads;

namespace Systolic.Tests.Machines;

public class MemoryCapacityTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    // 8,030,261,248 parameters: 14.957 GiB of weights and as much of gradients, six times that of state. H100 holds 80 GiB, a core of trn2 a part of 96 GiB.
    [Theory]
    [InlineData("h100", "h100: llama-3-8b, training 128 tokens, batch 1: found 120.* GiB to hold in main memory (weights 14.958 GiB, activations 0.* GiB, gradients 14.958 GiB, optimizer state 89.745 GiB), expected at most 80.000 GiB: 40.* GiB too much. Evenly divided, 2 of h100 would hold it. *")]
    [InlineData("trn2", "trn2: llama-3-8b, training 128 tokens, batch 1: found 120.* expected at most 96.000 GiB: 24.* GiB too much. Evenly divided, 2 of trn2 would hold it. *--ignore-capacity, RunOptions.IgnoreCapacity).")]
    public void A_model_that_does_not_fit_says_by_how_much_and_how_many_would_hold_it(string machine, string message) =>
        FluentActions.Invoking(() => MachinePresets.Load(machine).Run(TransformerModel.Training(ModelShapes.Llama3_8B, 1, 128))).Should().Throw<CapacityException>().WithMessage(message);

    [Fact]
    public void It_runs_when_the_capacity_is_ignored_and_one_layer_of_it_runs_anyhow()
    {
        OperatorGraph graph = TransformerModel.Training(ModelShapes.Llama3_8B, 1, 128);
        MachinePresets.H100.Run(graph, RealRuns.Anyway, cancellation: Cancellation).Memory.Should().Be(graph.Memory);
        MachinePresets.H100.Run(TransformerLayer.Training(ModelShapes.Llama3_8B, 1, 128), cancellation: Cancellation).Memory!.Weights.Value.Should().Be(2 * ((2L * 4096 * 4096) + (2L * 4096 * 1024) + (3L * 4096 * 14336) + (2 * 4096)));
    }

    [Fact]
    public void What_just_fits_runs()
    {
        OperatorGraph graph = TransformerLayer.Decode(ModelShapes.Gpt2, 1, 64);
        SimtMachine Holding(long bytes) => new(SimtSpecOf("h100") with { Memory = SimtSpecOf("h100").Memory with { Capacity = new(bytes) } });
        long needed = graph.Memory.Total.Value;
        Holding(needed).Run(graph, cancellation: Cancellation).Memory!.Total.Value.Should().Be(needed);
        FluentActions.Invoking(() => Holding(needed - 1).Run(graph)).Should().Throw<CapacityException>().WithMessage("*Evenly divided, 2 of h100 would hold it.*");
    }

    [Fact]
    public void Reports_have_a_table_of_the_parts()
    {
        OperatorGraph graph = TransformerLayer.Decode(ModelShapes.Gpt2, 1, 64);
        RunReport report = MachinePresets.H100.Run(graph, cancellation: Cancellation);
        using JsonDocument json = JsonDocument.Parse(RealRuns.Json(report));
        JsonElement memory = json.RootElement.GetProperty("machines")[0].GetProperty("memory_bytes");
        (memory.GetProperty("weights").GetInt64(), memory.GetProperty("total").GetInt64(), memory.GetProperty("capacity").GetInt64())
            .Should().Be((graph.Memory.Weights.Value, graph.Memory.Total.Value, 80L << 30));
        using var text = new StringWriter();
        MarkdownReportWriter.Write(text, report);
        text.ToString().Should().MatchRegex($"## Main memory\n(.*\n)+\\| kv cache +\\| +{graph.Memory.KvCache.Value:N0} \\|");
    }

    private static Systolic.Simt.SimtSpec SimtSpecOf(string name) => ((SimtMachine)MachinePresets.Load(name)).Spec;
}
