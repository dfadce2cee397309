namespace Systolic.Workloads;

/// <summary>Configurations of decoder-only models.</summary>
internal static class DecoderConfigs
{
    /// <summary>Defaults of GPT2Config: n_inner = 4 n_embd, gelu_new, tied embeddings; biases everywhere.</summary>
    public static ModelShape Gpt2(ConfigSection config)
    {
        config.Refuse("scale_attn_by_inverse_layer_idx", true, "scores are scaled alike in all layers");
        config.Refuse("add_cross_attention", true, "GPT-2 is read as a decoder without an encoder");
        (long hidden, long heads) = config.Heads("n_embd", "n_head");
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

    /// <summary>Defaults of OPTConfig: 2,048 positions, relu, tied embeddings, biases everywhere; its table of positions has two more rows.</summary>
    public static ModelShape Opt(ConfigSection config)
    {
        config.Refuse("enable_bias", false, "every OPT checkpoint has biases");
        config.Refuse("layer_norm_elementwise_affine", false, "every OPT checkpoint has gains and shifts");
        config.Refuse("_remove_final_layer_norm", true, "the stack ends with a normalization");
        (long hidden, long heads) = config.Heads("hidden_size", "num_attention_heads");
        long width = config.Features("word_embed_proj_dim", hidden);
        return new ModelShape
        {
            Name = config.Name,
            Family = ModelFamily.DecoderOnly,
            DecoderLayers = config.Layers("num_hidden_layers"),
            Hidden = hidden,
            QueryHeads = heads,
            KvHeads = heads,
            HeadDim = hidden / heads,
            Intermediate = config.Intermediate("ffn_dim"),
            Vocabulary = config.Vocabulary(),
            MaxPositions = config.Positions("max_position_embeddings", 2048),
            UnusedPositions = 2,
            EmbeddingWidth = width == hidden ? 0 : width,
            Norm = NormFunction.Layer,
            NormPlacement = config.Flag("do_layer_norm_before", true) ? NormPlacement.Before : NormPlacement.After,
            Activation = config.Function("activation_function", "relu", gated: false),
            AttentionBiases = AttentionBiases.All,
            MlpBias = true,
            TiedEmbeddings = config.Flag("tie_word_embeddings", true),
            Positions = PositionKind.Learned,
            Type = config.Type(),
        };
    }

    /// <summary>Defaults of FalconConfig: one key/value head and parallel blocks, or the newer grouped form with a normalization for each block; four hidden sizes inside, gelu, no biases, tied embeddings.</summary>
    public static ModelShape Falcon(ConfigSection config)
    {
        config.Refuse("alibi", true, "positions are built as rotations");
        (long hidden, long heads) = config.Heads("hidden_size", "num_attention_heads");
        bool grouped = config.Flag("new_decoder_architecture", false);
        long kvHeads = grouped ? config.Count("num_kv_heads", 1, heads) : config.Flag("multi_query", true) ? 1 : heads;
        bool bias = config.Flag("bias", false);
        return new ModelShape
        {
            Name = config.Name,
            Family = ModelFamily.DecoderOnly,
            DecoderLayers = config.Layers("num_hidden_layers"),
            Hidden = hidden,
            QueryHeads = heads,
            KvHeads = kvHeads,
            HeadDim = hidden / heads,
            Intermediate = config.Intermediate("ffn_hidden_size", 4 * hidden),
            Vocabulary = config.Vocabulary(),
            MaxPositions = config.Positions("max_position_embeddings", 2048),
            Norm = NormFunction.Layer,
            ParallelBlocks = grouped || config.Flag("parallel_attn", true),
            SharedNorm = !grouped || config.Count("num_ln_in_parallel_attn", 1, 2) == 1,
            Activation = config.Function("activation", "gelu", gated: false),
            AttentionBiases = bias ? AttentionBiases.All : AttentionBiases.None,
            MlpBias = bias,
            TiedEmbeddings = config.Flag("tie_word_embeddings", true),
            Positions = PositionKind.Rotary,
            Type = config.Type(),
        };
    }
}
