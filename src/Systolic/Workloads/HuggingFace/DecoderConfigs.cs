namespace Systolic.Workloads;

/// <summary>Configurations of decoder-only models.</summary>
internal static class DecoderConfigs
{
    /// <summary>Defaults of GPT2Config: n_inner = 4 n_embd, gelu_new, tied embeddings; biases everywhere.</summary>
    public static ModelShape Gpt2(ConfigSection config)
    {
        long hidden = config.Features("n_embd");
        long heads = config.Count("n_head", 1);
        config.Divides("n_embd", hidden, "n_head", heads);
        return new ModelShape
        {
            Name = config.Name,
            Family = ModelFamily.DecoderOnly,
            DecoderLayers = config.Layers("n_layer"),
            Hidden = hidden,
            QueryHeads = heads,
            KvHeads = heads,
            HeadDim = hidden / heads,
            Intermediate = config.Intermediate("n_inner", 4 * hidden),
            Vocabulary = config.Vocabulary(),
            MaxPositions = config.Positions("n_positions", 1024),
            Norm = NormFunction.Layer,
            Activation = config.Function("activation_function", "gelu_new", gated: false),
            AttentionBiases = AttentionBiases.All,
            MlpBias = true,
            TiedEmbeddings = config.Flag("tie_word_embeddings", true),
            Positions = PositionKind.Learned,
            Type = config.Type(),
        };
    }

    /// <summary>Defaults of LlamaConfig: as many key/value as query heads, head_dim = hidden / heads, no biases, an untied head.</summary>
    public static ModelShape Llama(ConfigSection config)
    {
        long heads = config.Count("num_attention_heads", 1);
        return Rotary(config, heads, config.Count("num_key_value_heads", 1, heads), 2048) with
        {
            AttentionBiases = config.Flag("attention_bias", false) ? AttentionBiases.All : AttentionBiases.None,
            MlpBias = config.Flag("mlp_bias", false),
        };
    }

    /// <summary>Defaults of MixtralConfig: 8 key/value heads, 8 experts, 2 per token, 131,072 positions.</summary>
    public static ModelShape Mixtral(ConfigSection config)
    {
        long heads = config.Count("num_attention_heads", 1);
        long experts = config.Count("num_local_experts", 1, 8);
        long visited = config.Count("num_experts_per_tok", 1, 2);
        config.AtMost("num_experts_per_tok", visited, "num_local_experts", experts);
        return Rotary(config, heads, config.Count("num_key_value_heads", 1, 8), 131_072) with
        {
            Experts = experts,
            ExpertsPerToken = visited,
            SlidingWindow = config.Json.Has("sliding_window") ? config.Positions("sliding_window") : null,
        };
    }

    private static ModelShape Rotary(ConfigSection config, long heads, long kvHeads, long defaultPositions)
    {
        long hidden = config.Features("hidden_size");
        config.Divides("num_attention_heads", heads, "num_key_value_heads", kvHeads);
        if (!config.Json.Has("head_dim"))
        {
            config.Divides("hidden_size", hidden, "num_attention_heads", heads);
        }

        return new ModelShape
        {
            Name = config.Name,
            Family = ModelFamily.DecoderOnly,
            DecoderLayers = config.Layers("num_hidden_layers"),
            Hidden = hidden,
            QueryHeads = heads,
            KvHeads = kvHeads,
            HeadDim = config.Features("head_dim", hidden / heads),
            Intermediate = config.Intermediate("intermediate_size"),
            Vocabulary = config.Vocabulary(),
            MaxPositions = config.Positions("max_position_embeddings", defaultPositions),
            Norm = NormFunction.Rms,
            Activation = config.Function("hidden_act", "silu", gated: true),
            TiedEmbeddings = config.Flag("tie_word_embeddings", false),
            Positions = PositionKind.Rotary,
            Type = config.Type(),
        };
    }
}
