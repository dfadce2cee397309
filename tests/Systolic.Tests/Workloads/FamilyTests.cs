using Systolic.Workloads;

namespace Systolic.Tests.Workloads;

/// <summary>What tells the families apart, as operators.</summary>
public class FamilyTests
{
    [Fact]
    public void A_query_of_mistral_sees_its_window()
    {
        GraphSection layer = Layer("mistral-7b", tokens: 8192);
        Attention attention = layer.Operators.OfType<Attention>().Single();
        (attention.Window, attention.Describe()).Should().Be((4096, "b1 h32/8 8192x8192 d128 causal window 4096"));

        // Query t of 8,192 sees min(t, 4096) keys: 4096 x 4097 / 2 + 4096 x 4096.
        attention.Pairs.Should().Be((4096L * 4097 / 2) + (4096L * 4096));
        layer.Operators.OfType<KvAppend>().Single().Rows.Should().Be(4096, "the cache holds the window");
        TransformerLayer.Decode(ModelPresets.Load("mistral-7b"), 1, 8191).Sections.Single().Operators.OfType<Attention>().Single().KvTokens.Should().Be(4096);
        Layer("mistral-7b", tokens: 4096).Operators.OfType<Attention>().Single().Window.Should().BeNull("it hides nothing");
    }

    // Five queries on five keys see 1, 2, 2, 2, 2 of them; the last three of five see two each.
    [Theory]
    [InlineData(5, 5, 2L, 9)]
    [InlineData(3, 5, 2L, 6)]
    [InlineData(3, 5, 4L, 3 + 4 + 4)]
    [InlineData(3, 5, null, 3 + 4 + 5)]
    [InlineData(3, 5, 9L, 3 + 4 + 5)]
    public void Pairs_are_those_within_the_window(long queries, long keys, long? window, long pairs) =>
        new Attention("", 1, 1, 1, queries, keys, 8, Causal: true) { Window = window }.Pairs.Should().Be(pairs);

    [Fact]
    public void Gemma_2_alternates_windows_caps_scores_and_logits_and_normalizes_around_its_blocks()
    {
        OperatorGraph graph = TransformerModel.Prefill(ModelPresets.Load("gemma2-2b"), 1, 8192);
        graph.Sections.Select(section => (section.Name, section.Repeat)).Should().Equal(("embedding", 1), ("sliding_layer", 13), ("layer", 13), ("head", 1));
        Lines(graph.Sections[1]).Should().Equal(
            "sliding_layer/attn_norm: norm 8192x2304",
            "sliding_layer/attn/q_proj: matmul 8192x2304x2048",
            "sliding_layer/attn/q_rope: rope 8192x2048",
            "sliding_layer/attn/k_proj: matmul 8192x2304x1024",
            "sliding_layer/attn/k_rope: rope 8192x1024",
            "sliding_layer/attn/v_proj: matmul 8192x2304x1024",
            "sliding_layer/attn/kv_append: kv append 4096x1024",
            "sliding_layer/attn/attention: attention b1 h8/4 8192x8192 d256 causal window 4096 soft cap",
            "sliding_layer/attn/o_proj: matmul 8192x2048x2304",
            "sliding_layer/attn_post_norm: norm 8192x2304",
            "sliding_layer/attn_residual: elementwise 8192x2304",
            "sliding_layer/mlp_norm: norm 8192x2304",
            "sliding_layer/mlp/gate_proj: matmul 8192x2304x9216",
            "sliding_layer/mlp/up_proj: matmul 8192x2304x9216",
            "sliding_layer/mlp/activation: elementwise 8192x9216",
            "sliding_layer/mlp/down_proj: matmul 8192x9216x2304",
            "sliding_layer/mlp_post_norm: norm 8192x2304",
            "sliding_layer/mlp_residual: elementwise 8192x2304");
        graph.Sections[2].Operators.OfType<Attention>().Single().Window.Should().BeNull();
        Lines(graph.Sections[3])[^2..].Should().Equal("head/lm_head: matmul 1x2304x256000", "head/cap: elementwise 1x256000");
        graph.Sections[3].Operators.OfType<MatMul>().Single().Inputs[1].Name.Should().Be("embedding/table");
    }

    [Fact]
    public void Qwen_2_has_biases_of_q_k_and_v() => Layer("qwen2.5-7b").Operators.OfType<MatMul>().Where(op => op.Bias).Select(op => op.Name)
        .Should().Equal("layer/attn/q_proj", "layer/attn/k_proj", "layer/attn/v_proj");

    // 64 tokens of 32 query and 8 key heads.
    [Fact]
    public void Qwen_3_normalizes_every_head_of_queries_and_keys_before_it_rotates_them() => Lines(Layer("qwen3-8b"))[1..7].Should().Equal(
        "layer/attn/q_proj: matmul 64x4096x4096",
        "layer/attn/q_norm: norm 2048x128",
        "layer/attn/q_rope: rope 64x4096",
        "layer/attn/k_proj: matmul 64x4096x1024",
        "layer/attn/k_norm: norm 512x128",
        "layer/attn/k_rope: rope 64x1024");

    [Fact]
    public void Falcon_s_blocks_read_the_same_norm_and_are_added_together()
    {
        GraphSection layer = Layer("falcon-7b");
        Lines(layer).Should().Equal(
            "layer/attn_norm: norm 64x4544",
            "layer/attn/q_proj: matmul 64x4544x4544",
            "layer/attn/q_rope: rope 64x4544",
            "layer/attn/k_proj: matmul 64x4544x64",
            "layer/attn/k_rope: rope 64x64",
            "layer/attn/v_proj: matmul 64x4544x64",
            "layer/attn/kv_append: kv append 64x64",
            "layer/attn/attention: attention b1 h71/1 64x64 d64 causal",
            "layer/attn/o_proj: matmul 64x4544x4544",
            "layer/attn_residual: elementwise 64x4544",
            "layer/mlp/in_proj: matmul 64x4544x18176",
            "layer/mlp/activation: elementwise 64x18176",
            "layer/mlp/out_proj: matmul 64x18176x4544",
            "layer/mlp_residual: elementwise 64x4544");
        layer.Operators.Single(op => op.Name == "layer/mlp/in_proj").Inputs[0].Name.Should().Be("layer/attn_norm");
        Layer("falcon-40b").Operators.Single(op => op.Name == "layer/mlp/in_proj").Inputs[0].Name.Should().Be("layer/mlp_norm");
    }

    [Fact]
    public void Small_opt_projects_its_embedding_and_normalizes_behind_its_blocks()
    {
        OperatorGraph graph = TransformerModel.Prefill(ModelPresets.Load("opt-350m"), 1, 64);
        Lines(graph.Sections[0]).Should().Equal(
            "embedding/tokens: embedding 64x512", "embedding/project_in: matmul 64x512x1024", "embedding/positions: embedding 64x1024", "embedding/add_positions: elementwise 64x1024");
        graph.Sections[0].Operators.OfType<Embedding>().Last().TableRows.Should().Be(2050);
        Lines(graph.Sections[^1]).Should().Equal("head/select_tokens: embedding 1x1024", "head/project_out: matmul 1x1024x512", "head/lm_head: matmul 1x512x50272");
        graph.Sections[1].Operators[^1].Name.Should().Be("layer/mlp_norm");
    }

    [Fact]
    public void DeepSeek_projects_keys_and_values_from_a_latent_vector()
    {
        OperatorGraph graph = TransformerModel.Prefill(ModelPresets.Load("deepseek-v3"), 1, 64);
        graph.Sections.Select(section => (section.Name, section.Repeat)).Should().Equal(("embedding", 1), ("dense_layer", 3), ("layer", 58), ("head", 1));
        Lines(graph.Sections[2]).Should().ContainInOrder(
            "layer/attn/q_a_proj: matmul 64x7168x1536",
            "layer/attn/q_proj: matmul 64x1536x16384",
            "layer/attn/q_rope_proj: matmul 64x1536x8192",
            "layer/attn/kv_a_proj: matmul 64x7168x512",
            "layer/attn/k_rope_proj: matmul 64x7168x64",
            "layer/attn/kv_append: kv append 64x512",
            "layer/attn/k_b_proj: matmul 64x512x16384",
            "layer/attn/v_b_proj: matmul 64x512x16384",
            "layer/attn/attention: attention b1 h128/128 64x64 d192 v128 causal",
            "layer/attn/o_proj: matmul 64x16384x7168",
            "layer/moe/router: matmul 64x7168x256",
            "layer/moe/gate_proj: matmul 256x2x7168x2048",
            "layer/shared/gate_proj: matmul 64x7168x2048",
            "layer/moe/add_shared: elementwise 64x7168");
        graph.Sections[1].Operators.OfType<MatMul>().Last().Describe().Should().Be("64x18432x7168");
    }

    // The projection of keys moves to the queries and that of values behind the attention: 128 heads of 128 x 512 each. The cache is 576 elements a token, read once as keys and values.
    [Fact]
    public void DeepSeek_decodes_from_the_latent_vectors_themselves()
    {
        GraphSection layer = TransformerLayer.Decode(ModelPresets.Load("deepseek-v3"), 1, 1023).Sections[1];
        Lines(layer).Should().ContainInOrder(
            "layer/attn/q_absorb: matmul 128x1x128x512",
            "layer/attn/attention: attention b1 h128/1 1x1024 d576 v512",
            "layer/attn/v_absorb: matmul 128x1x512x128");
        Attention attention = layer.Operators.OfType<Attention>().Single();
        attention.Macs.Value.Should().Be(128L * 1024 * (576 + 512));
        attention.Reads.Where(tensor => tensor.Operand.Role == TensorRole.KvCache).Sum(tensor => tensor.Shape.Elements).Should().Be(1024 * 576);
        layer.Operators.Single(op => op.Name == "layer/attn/q_absorb").Inputs[1].Name.Should().Be("layer/attn/k_b_proj.weight");
    }

    // One layer for later tokens: attention and experts as below, two norms, two more and a last one of 7,168, the projection of 2 x 7,168 to 7,168. The weights' description gives "11.5B", table and head not counted.
    [Fact]
    public void DeepSeek_s_prediction_layer_counts_apart()
    {
        ModelShape shape = ModelPresets.Load("deepseek-v3");
        shape.PredictionParameters.Should().Be(187_107_328 + (257 * 44_040_192L) + (256 * 7169) + (5 * 7168) + (2 * 7168 * 7168));
        (shape with { PredictionLayers = 0 }).Parameters.Should().Be(shape.Parameters);
    }

    // q 7168 x 1536 + norm + 1536 x 128 x 192; latent 7168 x 576 + norm + 512 x 128 x 256; o 128 x 128 x 7168 = 187,107,328 each;
    // expert 3 x 7168 x 2048 = 44,040,192 x 257, router 256 x 7168 + 256; dense 3 x 7168 x 18432; two norms a layer; tables 2 x 129,280 x 7168; final norm.
    [Fact]
    public void DeepSeek_v3_has_671_billion_parameters()
    {
        const long Attention = (7168L * 1536) + 1536 + (1536L * 128 * 192) + (7168L * 576) + 512 + (512L * 128 * 256) + (128L * 128 * 7168);
        const long Sparse = (257L * 3 * 7168 * 2048) + (256L * 7169);
        const long Dense = 3L * 7168 * 18432;
        ModelPresets.Load("deepseek-v3").Parameters.Should().Be((61 * (Attention + (2 * 7168))) + (58 * Sparse) + (3 * Dense) + (2L * 129_280 * 7168) + 7168);
    }

    [Fact]
    public void Whisper_s_encoder_always_reads_thirty_seconds()
    {
        OperatorGraph graph = TransformerModel.Prefill(ModelPresets.Load("whisper-tiny"), 1, 4);
        Lines(graph.Sections[0]).Should().Equal(
            "encoder/embedding/patches: matmul 3000x240x384",
            "encoder/embedding/patches_activation: elementwise 3000x384",
            "encoder/embedding/frames: embedding 4500x384",
            "encoder/embedding/join: matmul 1500x1152x384",
            "encoder/embedding/join_activation: elementwise 1500x384",
            "encoder/embedding/positions: embedding 1500x384",
            "encoder/embedding/add_positions: elementwise 1500x384");
        graph.Sections.SelectMany(section => section.Operators).OfType<MatMul>().Where(op => op.Name.EndsWith("k_proj", StringComparison.Ordinal)).Should().OnlyContain(op => !op.Bias);
        graph.Sections.Single(section => section.Name == "decoder/layer").Operators.OfType<Attention>().Select(op => op.Describe()).Should().Equal("b1 h6/6 4x4 d64 causal", "b1 h6/6 4x1500 d64");
    }

    [Fact]
    public void Vit_classifies_its_class_vector()
    {
        OperatorGraph graph = TransformerModel.Prefill(ModelPresets.Load("vit-base"), 2, 197);
        Lines(graph.Sections[0])[..2].Should().Equal("embedding/patches: matmul 392x768x768", "embedding/class: embedding 394x768");
        Lines(graph.Sections[^1]).Should().Equal("head/final_norm: norm 394x768", "head/select_tokens: embedding 2x768", "head/lm_head: matmul 2x768x1000");
        FluentActions.Invoking(() => TransformerModel.Prefill(ModelPresets.Load("vit-base"), 1, 1)).Should().Throw<ArgumentOutOfRangeException>().WithMessage("vit-base: found 1, expected at least 2: the class vector and one patch.*");
    }

    // 577 vectors pass 23 of 24 layers; the 576 of patches stand before the 10 tokens.
    [Fact]
    public void Llava_s_pictures_stand_before_the_text()
    {
        ModelShape shape = ModelPresets.Load("llava-1.5-7b");
        OperatorGraph graph = TransformerModel.Prefill(shape, 1, 10);
        graph.Sections.Select(section => (section.Name, section.Repeat)).Should().Equal(("vision/embedding", 1), ("vision/layer", 23), ("projector", 1), ("embedding", 1), ("layer", 32), ("head", 1));
        Lines(graph.Sections[2]).Should().Equal(
            "projector/patches: embedding 576x1024", "projector/in: matmul 576x1024x4096", "projector/in_activation: elementwise 576x4096", "projector/out: matmul 576x4096x4096");
        graph.Sections[4].Operators.OfType<Attention>().Single().Describe().Should().Be("b1 h32/32 586x586 d128 causal");
        TransformerModel.Decode(shape, 1, 586).Sections.Select(section => section.Name).Should().Equal("embedding", "layer", "head");
    }

    [Fact]
    public void The_encoder_of_pictures_is_not_trained_and_its_projector_is()
    {
        OperatorGraph graph = TransformerModel.Training(ModelPresets.Load("llava-1.5-7b"), 1, 10);
        graph.Sections.Select(section => section.Name).Should().NotContain(name => name.StartsWith("vision/", StringComparison.Ordinal) && name.EndsWith("backward", StringComparison.Ordinal));
        graph.Sections.Single(section => section.Name == "projector backward").Operators.Select(op => op.Name).Should().Equal(
            "projector/out.dx", "projector/out.dw", "projector/in_activation.backward", "projector/in.dw");
    }

    [Fact]
    public void Variants_that_contradict_each_other_are_refused()
    {
        ModelShape llama = ModelShapes.Llama3_8B, deepseek = ModelPresets.Load("deepseek-v3"), vit = ModelPresets.Load("vit-base");
        foreach ((ModelShape shape, string found) in new[]
        {
            (llama with { SlidingWindow = 0 }, "a window of 0 keys"),
            (llama with { ValueDim = 129 }, "129 features of a value and 128 of a key per head"),
            (llama with { SharedDim = 64 }, "latent rank 0, query rank 0, 64 shared of 128 features"),
            (deepseek with { KvHeads = 1 }, "heads 128/1"),
            (deepseek with { DenseIntermediate = 0 }, "3 dense layers of intermediate 0"),
            (llama with { ParallelBlocks = true, NormPlacement = NormPlacement.After }, "parallel blocks with normalization After"),
            (llama with { Front = vit.Front }, "a front of 768 features and 197 vectors with Rotary positions before a DecoderOnly model"),
            (vit with { Positions = PositionKind.RelativeBias }, "with RelativeBias positions before a EncoderOnly model"),
            (llama with { Vision = vit, VisionLayersUsed = 13 }, "an encoder of pictures with 13 layers in use"),
        })
        {
            FluentActions.Invoking(() => TransformerLayer.Prefill(shape, 1, 8)).Should().Throw<ArgumentException>(found).WithMessage($"*{found}*");
        }
    }

    private static GraphSection Layer(string name, long tokens = 64) => TransformerLayer.Prefill(ModelPresets.Load(name), 1, tokens).Sections.Single();

    private static string[] Lines(GraphSection section) => [.. section.Operators.Select(op => op.ToString())];
}
