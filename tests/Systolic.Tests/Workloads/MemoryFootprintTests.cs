using Systolic.Workloads;

namespace Systolic.Tests.Workloads;

public class MemoryFootprintTests
{
    // Weights 2 B each; 32 layers x 4 sequences x 1,024 tokens x (8 + 8) heads x 128 x 2 B; most activations at once: 4 normalized rows of 4,096 and logits of 128,256.
    [Fact]
    public void Decoding_holds_weights_the_cache_and_a_row_of_logits()
    {
        MemoryFootprint memory = TransformerModel.Decode(ModelShapes.Llama3_8B, 4, 1023).Memory;
        Parts(memory).Should().Equal(2 * 8_030_261_248, 32L * 4 * 1024 * 2048 * 2, 4L * (4096 + 128_256) * 2, 0, 0);
        memory.Total.Value.Should().Be(Parts(memory).Sum());
    }

    // Half of Gemma 2's layers keep 4,096 of 8,192 tokens; of DeepSeek's 576 elements a token in 61 layers.
    [Theory]
    [InlineData("gemma2-2b", 13L * (8192 + 4096) * 2048 * 2)]
    [InlineData("deepseek-v3", 61L * 8192 * 576 * 2)]
    public void The_cache_is_what_the_attention_keeps(string name, long bytes)
    {
        ModelShape shape = ModelPresets.Load(name);
        TransformerModel.Decode(shape, 1, 8191).Memory.KvCache.Value.Should().Be(bytes);
        TransformerModel.Prefill(shape, 1, 8192).Memory.KvCache.Value.Should().Be(bytes);
    }

    [Fact]
    public void Training_holds_a_gradient_and_twelve_bytes_of_state_per_parameter()
    {
        MemoryFootprint memory = TransformerModel.Training(ModelShapes.Llama3_8B, 1, 128).Memory;
        (memory.Weights.Value, memory.Gradients.Value, memory.OptimizerState.Value).Should().Be((2 * 8_030_261_248, 2 * 8_030_261_248, 12 * 8_030_261_248));
    }

    // Kept per token of a layer: the stream, both norms' results and the first sum (4 x 4096), q, k, v and the attention's result (2 x 4096 + 2 x 1024), gate, up and their product (3 x 14336), and of the softmax 4 B for each of 32 heads.
    // With full recomputation the stream alone; with selective all but the attention's result.
    [Theory]
    [InlineData(Recomputation.None, (6 * 4096) + (2 * 1024) + (3 * 14336) + 64)]
    [InlineData(Recomputation.Attention, (5 * 4096) + (2 * 1024) + (3 * 14336))]
    [InlineData(Recomputation.Layers, 4096)]
    public void A_layer_more_keeps_what_its_backward_pass_reads(Recomputation recompute, long elements)
    {
        long Activations(long layers) => TransformerModel.Training(ModelShapes.Llama3_8B, 1, 128, layers, new() { Recompute = recompute }).Memory.Activations.Value;
        (Activations(5) - Activations(4)).Should().Be(elements * 128 * 2);
    }

    [Fact]
    public void Micro_batches_hold_the_activations_of_one_of_them()
    {
        MemoryFootprint one = TransformerModel.Training(ModelShapes.Gpt2, 1, 256).Memory;
        TransformerModel.Training(ModelShapes.Gpt2, 8, 256, options: new() { MicroBatches = 8 }).Memory.Should().Be(one);
    }

    // 6,815,744 parameters of adapters. A frozen matrix needs no input for its gradient: of the stream's norms and the attention's result, only the norm in front of q and v is still kept, for A.
    [Fact]
    public void Adapters_leave_frozen_weights_without_gradient_and_state()
    {
        TrainingOptions adapters = new() { Adapters = new(16, ["q_proj", "v_proj"]) };
        MemoryFootprint memory = TransformerModel.Training(ModelShapes.Llama3_8B, 1, 128, options: adapters).Memory;
        (memory.Weights.Value, memory.Gradients.Value, memory.OptimizerState.Value).Should().Be((2 * (8_030_261_248 + 6_815_744), 2 * 6_815_744, 12 * 6_815_744));
        long Activations(long layers) => TransformerModel.Training(ModelShapes.Llama3_8B, 1, 128, layers, adapters).Memory.Activations.Value;

        // Stream, norm, first sum, q, k, v (now sums with the adapters'), attention's result for its own gradient, gate and up, two results of A of 16, and 4 B for each of 32 heads.
        (Activations(5) - Activations(4)).Should().Be(((5 * 4096) + (2 * 1024) + (2 * 14336) + (2 * 16) + 64) * 128 * 2);
    }

    // An encoder's output of 64 tokens is read by all 12 decoder layers and kept once.
    [Fact]
    public void What_all_layers_read_is_kept_once()
    {
        OperatorGraph graph = TransformerModel.Training(ModelShapes.T5_Base, 1, 64);
        GraphSection backward = graph.Sections.Single(section => section.Name == "decoder/layer backward");
        backward.Inputs.Should().Contain(tensor => tensor.Operand.Name == "encoder/output");
        long perLayer = backward.Inputs.Where(tensor => !tensor.Operand.Name.EndsWith(".grad", StringComparison.Ordinal) && tensor.Operand.Name != "encoder/output").Sum(tensor => tensor.Size.Value);
        long Activations(long layers) => TransformerModel.Training(ModelShapes.T5_Base with { EncoderLayers = 1, DecoderLayers = layers }, 1, 64).Memory.Activations.Value;
        (Activations(12) - Activations(11)).Should().Be(perLayer);
    }

    [Fact]
    public void A_single_operator_holds_its_operands() => OperatorGraph.Of(new MatMul("product", 10, 20, 30)).Memory.Total.Value.Should().Be(2 * ((10 * 20) + (20 * 30) + (10 * 30)));

    private static long[] Parts(MemoryFootprint memory) => [.. memory.Parts.Select(part => part.Size.Value)];
}
