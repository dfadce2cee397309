namespace Systolic.Workloads;

/// <summary>Configurations of decoder-only models in the manner of Llama: rotary positions, RMS normalization, a gated block. Projections that a checkpoint fuses are built apart.</summary>
internal static class RotaryConfigs
{
    /// <summary>Defaults of LlamaConfig: as many key/value as query heads, head_dim = hidden / heads, no biases, an untied head; inside a model of pictures, the sizes of the 7B model.</summary>
    public static ModelShape Llama(ConfigSection config)
    {
        long heads = config.Count("num_attention_heads", 1, config.Nested ? 32 : null);
        return Rotary(config, heads, config.Count("num_key_value_heads", 1, heads), 2048) with
        {
            AttentionBiases = config.Flag("attention_bias", false) ? AttentionBiases.All : AttentionBiases.None,
            MlpBias = config.Flag("mlp_bias", false),
        };
    }

    /// <summary>Defaults of MistralConfig: 8 key/value heads, a window of 4,096 keys, 131,072 positions.</summary>
    public static ModelShape Mistral(ConfigSection config) =>
        Rotary(config, config.Count("num_attention_heads", 1), config.Count("num_key_value_heads", 1, 8), 131_072) with { SlidingWindow = config.Window(4096) };

    /// <summary>Defaults of Qwen2Config: 32 key/value heads, biases of q, k and v; a window, where it is used, from layer max_window_layers on.</summary>
    public static ModelShape Qwen2(ConfigSection config) => WithQwenWindow(config, Rotary(config, config.Count("num_attention_heads", 1), config.Count("num_key_value_heads", 1, 32), 32_768)) with
    {
        AttentionBiases = AttentionBiases.Query | AttentionBiases.Key | AttentionBiases.Value,
    };

    /// <summary>Defaults of Qwen3Config: 32 key/value heads of 128 features, normalized queries and keys, no biases.</summary>
    public static ModelShape Qwen3(ConfigSection config, long defaultKvHeads, long? headDim) =>
        WithQwenWindow(config, Rotary(config, config.Count("num_attention_heads", 1), config.Count("num_key_value_heads", 1, defaultKvHeads), 32_768, headDim)) with
        {
            QkNorm = true,
            AttentionBiases = config.Flag("attention_bias", false) ? AttentionBiases.All : AttentionBiases.None,
        };

    /// <inheritdoc cref="Qwen3(ConfigSection, long, long?)"/>
    public static ModelShape Qwen3(ConfigSection config) => Qwen3(config, 32, 128);

    /// <summary>Defaults of Gemma2Config: 4 key/value heads of 256 features, normalization around each block, tied embeddings, a window of 4,096 keys in every other layer, soft caps of 50 and 30.</summary>
    public static ModelShape Gemma2(ConfigSection config) =>
        Rotary(config, config.Count("num_attention_heads", 1), config.Count("num_key_value_heads", 1, 4), 8192, 256, "hidden_activation", "gelu_pytorch_tanh", tied: true) with
        {
            NormPlacement = NormPlacement.Around,
            AttentionBiases = config.Flag("attention_bias", false) ? AttentionBiases.All : AttentionBiases.None,
            SlidingWindow = config.Window(4096),
            FullEvery = 2,
            ScoreCap = config.Cap("attn_logit_softcapping", 50),
            CappedLogits = config.Cap("final_logit_softcapping", 30) is not null,
        };

    /// <summary>Defaults of Phi3Config: as many key/value as query heads, no window unless given; qkv and gate/up are fused in the checkpoint.</summary>
    public static ModelShape Phi3(ConfigSection config)
    {
        long heads = config.Count("num_attention_heads", 1);
        return Rotary(config, heads, config.Count("num_key_value_heads", 1, heads), 4096) with { SlidingWindow = config.Window() };
    }

    /// <summary>What these models share.</summary>
    public static ModelShape Rotary(
        ConfigSection config, long heads, long kvHeads, long defaultPositions, long? headDim = null, string activation = "hidden_act", string function = "silu", bool tied = false)
    {
        config.Only("partial_rotary_factor", 1, "all features of a head are rotated");
        long hidden = config.Features("hidden_size", config.Nested ? 4096 : null);
        config.Divides("num_attention_heads", heads, "num_key_value_heads", kvHeads);
        if (!config.Json.Has("head_dim") && headDim is null)
        {
            config.Divides("hidden_size", hidden, "num_attention_heads", heads);
        }

        return new ModelShape
        {
            Name = config.Name,
            Family = ModelFamily.DecoderOnly,
            DecoderLayers = config.Layers("num_hidden_layers", config.Nested ? 32 : null),
            Hidden = hidden,
            QueryHeads = heads,
            KvHeads = kvHeads,
            HeadDim = config.Features("head_dim", headDim ?? (hidden / heads)),
            Intermediate = config.Intermediate("intermediate_size", config.Nested ? 11_008 : null),
            Vocabulary = config.Vocabulary(),
            MaxPositions = config.Positions("max_position_embeddings", defaultPositions),
            Norm = NormFunction.Rms,
            Activation = config.Function(activation, function, gated: true),
            TiedEmbeddings = config.Flag("tie_word_embeddings", tied),
            Positions = PositionKind.Rotary,
            Type = config.Type(),
        };
    }

    private static ModelShape WithQwenWindow(ConfigSection config, ModelShape shape) => config.Flag("use_sliding_window", false)
        ? shape with { SlidingWindow = config.Window(4096), FullLayers = config.Count("max_window_layers", 0, 28) }
        : shape;
}
