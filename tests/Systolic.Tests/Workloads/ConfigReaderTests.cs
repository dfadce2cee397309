using Systolic.Numerics;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Workloads;

public class ConfigReaderTests
{
    private const string SmallLlama = """
        "model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 100
        """;

    private const string SmallT5 = """
        "model_type": "t5", "d_model": 64, "d_ff": 128, "num_layers": 3, "num_heads": 4, "vocab_size": 100
        """;

    [Fact]
    public void A_llama_without_optional_keys_has_the_library_s_defaults()
    {
        ModelShape shape = Read(SmallLlama);
        shape.Should().Be(new ModelShape
        {
            Name = "small",
            Family = ModelFamily.DecoderOnly,
            DecoderLayers = 2,
            Hidden = 64,
            QueryHeads = 4,
            KvHeads = 4,
            HeadDim = 16,
            Intermediate = 128,
            Vocabulary = 100,
            MaxPositions = 2048,
            Norm = NormFunction.Rms,
            Activation = ElementwiseFunction.GatedSilu,
            Positions = PositionKind.Rotary,
            Type = DataType.Bf16,
        });
    }

    [Fact]
    public void A_llama_may_set_what_the_defaults_leave_open()
    {
        ModelShape shape = Read(SmallLlama + """
            , "num_key_value_heads": 2, "head_dim": 32, "attention_bias": true, "mlp_bias": true, "tie_word_embeddings": true, "hidden_act": "gelu", "torch_dtype": "float16"
            """);
        (shape.KvHeads, shape.HeadDim, shape.AttentionBiases, shape.MlpBias, shape.TiedEmbeddings, shape.Activation, shape.Type)
            .Should().Be((2, 32, AttentionBiases.All, true, true, ElementwiseFunction.GatedGelu, DataType.Fp16));

        // q 64 x 128 + 128, k and v 64 x 64 + 64 each, o 128 x 64 + 64; gate and up 64 x 128 + 128 each, down 128 x 64 + 64; 2 norms; one table.
        long layer = (64 * 128) + 128 + (2 * ((64 * 64) + 64)) + (128 * 64) + 64 + (2 * ((64 * 128) + 128)) + (128 * 64) + 64 + (2 * 64);
        shape.Parameters.Should().Be((2 * layer) + (100 * 64) + 64);
    }

    [Fact]
    public void The_new_name_of_the_element_type_is_read() => Read(SmallLlama + """, "dtype": "float32" """).Type.Should().Be(DataType.Fp32);

    [Fact]
    public void A_t5_without_optional_keys_has_the_library_s_defaults()
    {
        ModelShape shape = Read(SmallT5);
        (shape.EncoderLayers, shape.DecoderLayers, shape.HeadDim, shape.Activation, shape.TiedEmbeddings, shape.RelativeBuckets)
            .Should().Be((3, 3, 64, ElementwiseFunction.Relu, true, 32));
    }

    [Fact]
    public void A_t5_may_be_gated_and_have_another_decoder()
    {
        ModelShape shape = Read(SmallT5 + """, "feed_forward_proj": "gated-gelu", "num_decoder_layers": 5, "tie_word_embeddings": false """);
        (shape.DecoderLayers, shape.Activation, shape.TiedEmbeddings).Should().Be((5, ElementwiseFunction.GatedGelu, false));
    }

    [Fact]
    public void A_gpt2_s_inner_size_is_four_times_the_hidden_size_unless_given()
    {
        const string gpt2 = """ "model_type": "gpt2", "n_embd": 64, "n_layer": 1, "n_head": 2, "vocab_size": 10, "n_inner": """;
        Read(gpt2 + "null").Intermediate.Should().Be(256);
        Read(gpt2 + "100").Intermediate.Should().Be(100);
    }

    [Fact]
    public void A_mixtral_s_window_and_experts_are_read()
    {
        ModelShape shape = Read(SmallLlama.Replace("llama", "mixtral", StringComparison.Ordinal) + """, "num_key_value_heads": 2, "sliding_window": 4096, "num_local_experts": 4, "num_experts_per_tok": 1 """);
        (shape.SlidingWindow, shape.Experts, shape.ExpertsPerToken).Should().Be((4096, 4, 1));
    }

    [Theory]
    [InlineData("", 4096L)] // MistralConfig's default
    [InlineData(", \"sliding_window\": null", null)] // version 0.3
    [InlineData(", \"sliding_window\": 512", 512L)]
    public void A_mistral_has_a_window_unless_its_file_says_null(string key, long? window) =>
        Read(SmallLlama.Replace("llama", "mistral", StringComparison.Ordinal) + """, "num_key_value_heads": 2 """ + key).SlidingWindow.Should().Be(window);

    [Fact]
    public void A_qwen_2_uses_its_window_from_a_layer_on_and_only_if_it_says_so()
    {
        string qwen = SmallLlama.Replace("llama", "qwen2", StringComparison.Ordinal) + """, "num_key_value_heads": 2, "sliding_window": 512, "max_window_layers": 1 """;
        Read(qwen).SlidingWindow.Should().BeNull();
        ModelShape shape = Read(qwen + """, "use_sliding_window": true """);
        (shape.SlidingWindow, shape.FullLayers).Should().Be((512, 1));
        TransformerModel.Prefill(shape, 1, 600).Sections.Select(section => (section.Name, section.Repeat)).Should().Equal(("embedding", 1), ("layer", 1), ("sliding_layer", 1), ("head", 1));
    }

    [Fact]
    public void A_gemma_2_without_optional_keys_has_the_library_s_defaults()
    {
        ModelShape shape = Read(SmallLlama.Replace("llama", "gemma2", StringComparison.Ordinal));
        (shape.KvHeads, shape.HeadDim, shape.SlidingWindow, shape.FullEvery, shape.ScoreCap, shape.CappedLogits, shape.TiedEmbeddings, shape.Activation, shape.NormPlacement)
            .Should().Be((4, 256, 4096, 2, 50.0, true, true, ElementwiseFunction.GatedGelu, NormPlacement.Around));
        Read(SmallLlama.Replace("llama", "gemma2", StringComparison.Ordinal) + """, "attn_logit_softcapping": null, "final_logit_softcapping": null """).Should().BeEquivalentTo(new { ScoreCap = (double?)null, CappedLogits = false });
    }

    [Fact]
    public void A_list_of_layer_types_must_be_that_of_the_window()
    {
        string gemma = SmallLlama.Replace("llama", "gemma2", StringComparison.Ordinal) + """, "layer_types": """;
        Read(gemma + """["sliding_attention", "full_attention"]""").FullEvery.Should().Be(2);
        Problems("{" + gemma + """["full_attention", "full_attention"]}""").Should().Equal("small: layer_types: found other layers with a sliding window than the keys of the window give, expected the same");
    }

    [Fact]
    public void A_deepseek_2_may_project_queries_at_once()
    {
        string deepseek = SmallLlama.Replace("llama", "deepseek_v2", StringComparison.Ordinal) + """, "num_key_value_heads": 4, "q_lora_rank": """;
        (Read(deepseek + "null").QueryRank, Read(deepseek + "24").QueryRank).Should().Be((0, 24));
    }

    [Fact]
    public void A_qwen_3_may_have_dense_layers_in_front()
    {
        string qwen = SmallLlama.Replace("llama", "qwen3_moe", StringComparison.Ordinal) + """, "mlp_only_layers": """;
        (Read(qwen + "[0]").DenseLayers, Read(qwen + "[]").DenseLayers).Should().Be((1, 0));
    }

    // The published file leaves the sizes of its Llama to that library's defaults.
    [Fact]
    public void A_llava_s_text_model_has_the_sizes_of_the_7b_model_unless_it_says_otherwise()
    {
        ModelShape shape = ConfigReader.Read("""
            { "model_type": "llava", "text_config": { "model_type": "llama", "max_position_embeddings": 4096, "vocab_size": 32064, "torch_dtype": "float16" }, "vision_feature_layer": -2,
              "vision_config": { "model_type": "clip_vision_model", "hidden_size": 1024, "image_size": 336, "intermediate_size": 4096, "num_attention_heads": 16, "num_hidden_layers": 24, "patch_size": 14 } }
            """, "llava-1.5-7b");
        shape.Should().Be(ModelPresets.Load("llava-1.5-7b"));
    }

    [Fact]
    public void A_vit_s_classes_are_counted_where_they_are_named()
    {
        const string vit = """ "model_type": "vit", "hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 128 """;
        (Read(vit + """, "id2label": { "0": "cat", "1": "dog", "2": "eel" } """).Vocabulary, Read(vit).Vocabulary).Should().Be((3, 0));
        TransformerModel.Prefill(Read(vit), 1, 197).Sections[^1].Operators.Select(op => op.Name).Should().Equal("head/final_norm", "head/select_tokens");
    }

    // What would change the arithmetic and is not built.
    [Theory]
    [InlineData("llama", "\"quantization_config\": { \"quant_method\": \"awq\" }", "quantization_config: found a value, expected none: weights of another type than activations are not built; remove the key to run the model in its dtype")]
    [InlineData("phi3", "\"partial_rotary_factor\": 0.75", "partial_rotary_factor: found 0.75, expected 1: all features of a head are rotated")]
    [InlineData("falcon", "\"alibi\": true", "alibi: found true, expected false: positions are built as rotations")]
    [InlineData("qwen3_moe", "\"decoder_sparse_step\": 2", "decoder_sparse_step: found 2, expected 1: every layer has experts, but those of mlp_only_layers")]
    [InlineData("qwen3_moe", "\"mlp_only_layers\": [1]", "mlp_only_layers: found [1], expected none or the leading layers")]
    [InlineData("deepseek_v3", "\"moe_layer_freq\": 2", "moe_layer_freq: found 2, expected 1: every layer behind the dense ones has experts")]
    [InlineData("bert", "\"position_embedding_type\": \"relative_key\"", "position_embedding_type: found \"relative_key\", expected \"absolute\": positions are built as a learned table")]
    public void What_is_not_built_is_refused_by_name(string type, string key, string problem) =>
        Problems("{" + SmallLlama.Replace("llama", type, StringComparison.Ordinal) + """, "num_key_value_heads": 4, """ + key + "}").Should().Equal("small: " + problem);

    [Fact]
    public void An_unsupported_type_names_the_supported_and_the_nearest() => Problems("""{ "model_type": "lama" }""").Should().Equal(
        "small: model_type: found \"lama\", expected one of: bert, deepseek_v2, deepseek_v3, falcon, gemma2, gpt2, llama, llava, mistral, mixtral, opt, phi3, qwen2, qwen3, qwen3_moe, t5, vit, whisper; did you mean llama?");

    [Fact]
    public void All_problems_of_a_file_are_reported_together() => Problems("""
        { "model_type": "llama", "hidden_size": -5, "intermediate_size": "big", "num_hidden_layers": 20000, "num_attention_heads": 6, "num_key_value_heads": 4, "hidden_act": "mish", "torch_dtype": "int3" }
        """).Should().BeEquivalentTo(
        "small: hidden_size: found -5, expected a whole number from 1 to 1048576",
        "small: intermediate_size: found \"big\", expected a whole number from 1 to 16777216",
        "small: num_hidden_layers: found 20000, expected a whole number from 1 to 10000",
        "small: vocab_size: found nothing, expected a whole number from 1 to 16777216",
        "small: num_attention_heads: found 6, expected a multiple of num_key_value_heads, which is 4",
        "small: hidden_act: found \"mish\", expected a function that can gate: gelu, gelu_fast, gelu_new, gelu_pytorch_tanh, quick_gelu, relu, silu, swish",
        "small: torch_dtype: found \"int3\", expected a data type: fp32, tf32, bf16, fp16, fp8e4m3, fp8e5m2, int8 or int32");

    [Theory]
    [InlineData("""{ "hidden_size": 5 }""", "small: model_type: found nothing, expected a text")]
    [InlineData("""{ "model_type": 7 }""", "small: model_type: found 7, expected a text")]
    [InlineData("[1, 2]", "small: found [1, 2], expected a JSON object")]
    [InlineData("""{ "model_type": "gpt2", "n_embd": 100, "n_layer": 1, "n_head": 12, "vocab_size": 10 }""", "small: n_embd: found 100, expected a multiple of n_head, which is 12")]
    [InlineData("""{ "model_type": "gpt2", "n_embd": 1, "n_layer": 1, "n_head": 12, "vocab_size": 10 }""", "small: (root): found hidden 1, query heads 12, kv heads 12, head dimension 0, intermediate 4, vocabulary 10, positions 1024, expected each at least 1")]
    [InlineData("""{ "model_type": "bert", "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 8, "vocab_size": 9, "is_decoder": true }""", "small: is_decoder: found true, expected false: BERT is read as an encoder")]
    [InlineData("""{ "model_type": "mixtral", "hidden_size": 8, "num_attention_heads": 8, "num_hidden_layers": 1, "intermediate_size": 8, "vocab_size": 9, "num_local_experts": 2, "num_experts_per_tok": 3, "head_dim": 2 }""", "small: num_experts_per_tok: found 3, expected at most num_local_experts, which is 2")]
    [InlineData("""{ "model_type": "llama", "hidden_size": 9, "num_attention_heads": 3, "num_hidden_layers": 1, "intermediate_size": 8, "vocab_size": 9 }""", "small: (root): found rotary positions with head dimension 3, expected an even one")]
    public void A_problem_tells_where_what_and_what_else(string json, string problem) => Problems(json).Should().Equal(problem);

    [Fact]
    public void Sizes_that_cannot_be_counted_are_refused() => Problems("""
        { "model_type": "mixtral", "hidden_size": 1048576, "num_attention_heads": 65536, "num_key_value_heads": 65536, "num_hidden_layers": 10000, "intermediate_size": 16777216, "vocab_size": 9, "num_local_experts": 65536, "head_dim": 1048576 }
        """).Should().Equal("small: (root): found sizes whose parameters exceed 64 bits, expected a model that can exist");

    [Fact]
    public void Malformed_json_tells_the_place() => Problems("{ \"model_type\": ").Single().Should().StartWith("small: line 1, position ");

    private static ModelShape Read(string keys) => ConfigReader.Read("{" + keys + "}", "small");

    private static string[] Problems(string json) => FluentActions.Invoking(() => ConfigReader.Read(json, "small"))
        .Should().Throw<InvalidDocumentException>().Which.Message.Split('\n');
}
