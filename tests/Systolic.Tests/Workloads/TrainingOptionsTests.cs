using Systolic.Workloads;

namespace Systolic.Tests.Workloads;

public class TrainingOptionsTests
{
    private static readonly TrainingOptions LowRank = new() { FineTune = true, Adapters = new(16, ["q_proj", "v_proj"]) };

    // Four sequences in two parts: each part's products have half the rows and run twice; every gradient is added to the one before it, once.
    [Fact]
    public void Micro_batches_repeat_forward_and_backward_and_add_their_gradients()
    {
        ModelShape shape = ModelShapes.Gpt2;
        OperatorGraph whole = TransformerModel.Training(shape, 4, 64), parts = TransformerModel.Training(shape, 4, 64, options: new() { MicroBatches = 2 });
        (parts.Macs, parts.Tokens, parts.Phase).Should().Be((whole.Macs, 4L * 64, "training 64 tokens, batch 4, 2 micro-batches"));
        parts.Sections.Single(section => section.Name == "layer").Repeat.Should().Be(2 * 12);
        parts.Sections.Single(section => section.Name == "layer optimizer").Repeat.Should().Be(12);
        parts.Sections.Where(section => section.Name.EndsWith("gradient sum", StringComparison.Ordinal)).Sum(section => section.Repeat * section.Operators.Cast<Elementwise>().Sum(op => op.Rows * op.Columns))
            .Should().Be(shape.TrainedParameters);
    }

    [Fact]
    public void Micro_batches_must_divide_the_batch() => FluentActions.Invoking(() => TransformerModel.Training(ModelShapes.Gpt2, 4, 64, options: new() { MicroBatches = 3 }))
        .Should().Throw<ArgumentException>().WithMessage("gpt2: found 3 micro-batches of a batch of 4, expected a number that divides it.*");

    [Fact]
    public void Selective_recomputation_runs_attention_alone_again()
    {
        OperatorGraph graph = TransformerLayer.Training(ModelShapes.Llama3_8B, 1, 128, new() { Recompute = Recomputation.Attention });
        graph.Sections.SelectMany(section => section.Operators).Where(op => op.Name.EndsWith(".recompute", StringComparison.Ordinal)).Select(op => op.Name).Should().Equal("layer/attn/attention.recompute");

        // One more forward attention: 32 heads, 128 x 129 / 2 pairs, 2 x 128 products each.
        graph.Macs.Value.Should().Be(TransformerLayer.Training(ModelShapes.Llama3_8B, 1, 128).Macs.Value + (32L * 128 * 129 / 2 * 256));
    }

    // 16 x (4096 + 4096) for q and 16 x (4096 + 1024) for v in each of 32 layers: 6,815,744, as the PEFT library prints for this model and these targets.
    [Fact]
    public void Adapters_are_all_that_is_trained()
    {
        OperatorGraph graph = TransformerModel.Training(ModelShapes.Llama3_8B, 1, 128, options: LowRank);
        graph.Phase.Should().Be("finetune 128 tokens, batch 1, LoRA rank 16 on q_proj, v_proj");
        graph.Sections.Sum(section => section.Repeat * section.Operators.OfType<AdamW>().Sum(op => op.Rows * op.Columns)).Should().Be(6_815_744);
        graph.Sections.SelectMany(section => section.Operators).Where(op => op is not AdamW).SelectMany(op => op.Outputs).Where(output => output.Role == TensorRole.WeightGradient).Select(output => output.Name)
            .Should().BeEquivalentTo("layer/attn/q_proj.lora_a.weight.grad", "layer/attn/q_proj.lora_b.weight.grad", "layer/attn/v_proj.lora_a.weight.grad", "layer/attn/v_proj.lora_b.weight.grad");
        graph.Sections.Should().NotContain(section => section.Name == "embedding backward");
    }

    // Forward y = x W + (x A) B; backward dB, d(xA), dA, dx: an adapter is trained by three times its forward products, a frozen matrix only passes dx on.
    [Fact]
    public void A_frozen_product_multiplies_twice_and_an_adapter_three_times()
    {
        ModelShape shape = ModelShapes.Llama3_8B;
        long forward = TransformerLayer.Prefill(shape, 1, 128).Macs.Value;
        long attention = 32L * 128 * 129 / 2 * 256;
        long adapters = 128L * 16 * (4096 + 4096 + 4096 + 1024);
        TransformerLayer.Training(shape, 1, 128, LowRank).Macs.Value.Should().Be((2 * (forward - attention)) + (3 * attention) + (3 * adapters));
    }

    [Theory]
    [InlineData("llama-3-8b", "q_proj", "o_proj")]
    [InlineData("mixtral-8x7b", "down_proj", "router")]
    [InlineData("gpt2", "q_proj", "out_proj")]
    [InlineData("deepseek-v2-lite", "kv_a_proj", "v_b_proj")]
    public void What_an_adapted_graph_reads_was_written(string name, string first, string second)
    {
        OperatorGraph graph = TransformerModel.Training(ModelPresets.Load(name), 2, 64, options: new() { Adapters = new(8, [first, second]) });
        var written = new Dictionary<string, long>();
        foreach (Operator op in graph.Sections.SelectMany(section => section.Operators))
        {
            foreach (Tensor tensor in op.Reads.Where(tensor => tensor.Operand.Role == TensorRole.Activation && op is not Embedding))
            {
                written.Should().ContainKey(tensor.Operand.Name, op.Name).WhoseValue.Should().Be(tensor.Shape.Elements, "{0} reads {1}", op.Name, tensor.Operand.Name);
            }

            foreach (Tensor tensor in op.Writes)
            {
                written[tensor.Operand.Name] = tensor.Shape.Elements;
            }
        }
    }

    [Theory]
    [InlineData(0, "q_proj", "no product")]
    [InlineData(4, "q_proj,qkv", "qkv")]
    public void Adapters_of_nothing_are_refused(long rank, string targets, string found) =>
        FluentActions.Invoking(() => TransformerLayer.Training(ModelShapes.Llama3_8B, 1, 8, new() { Adapters = new(rank, [.. targets.Split(',')]) })).Should().Throw<ArgumentException>()
            .WithMessage($"llama-3-8b: found adapters of rank {rank} on {found}, expected a rank of at least 1 and some of: q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj.*");
}
