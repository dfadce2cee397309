namespace Systolic.Workloads;

/// <summary>Configurations of models with an encoder.</summary>
internal static class EncoderConfigs
{
    /// <summary>Defaults of BertConfig: gelu, 512 positions, 2 token types; biases everywhere, normalization after each sum.</summary>
    public static ModelShape Bert(ConfigSection config)
    {
        (long hidden, long heads) = config.Heads("hidden_size", "num_attention_heads");
        config.Refuse("is_decoder", true, "BERT is read as an encoder");
        config.Only("position_embedding_type", "absolute", "positions are built as a learned table");
        return new ModelShape
        {
            Name = config.Name,
            Family = ModelFamily.EncoderOnly,
            EncoderLayers = config.Layers("num_hidden_layers"),
            Hidden = hidden,
            QueryHeads = heads,
            KvHeads = heads,
            HeadDim = hidden / heads,
            Intermediate = config.Intermediate("intermediate_size"),
            Vocabulary = config.Vocabulary(),
            MaxPositions = config.Positions("max_position_embeddings", 512),
            Norm = NormFunction.Layer,
            NormPlacement = NormPlacement.After,
            EmbeddingNorm = true,
            Activation = config.Function("hidden_act", "gelu", gated: false),
            AttentionBiases = AttentionBiases.All,
            MlpBias = true,
            TiedEmbeddings = config.Flag("tie_word_embeddings", true),
            Positions = PositionKind.Learned,
            TokenTypes = config.Count("type_vocab_size", 0, 2),
            Type = config.Type(),
        };
    }

    /// <summary>Defaults of T5Config: d_kv 64, as many decoder as encoder layers, relu, 32 relative buckets, tied embeddings; no biases, so its layer normalization is RMS.</summary>
    public static ModelShape T5(ConfigSection config)
    {
        long heads = config.Count("num_heads", 1);
        long layers = config.Layers("num_layers");
        config.Refuse("is_encoder_decoder", false, "T5 is read as an encoder and a decoder");
        return new ModelShape
        {
            Name = config.Name,
            Family = ModelFamily.EncoderDecoder,
            EncoderLayers = layers,
            DecoderLayers = config.Layers("num_decoder_layers", layers),
            Hidden = config.Features("d_model"),
            QueryHeads = heads,
            KvHeads = heads,
            HeadDim = config.Features("d_kv", 64),
            Intermediate = config.Intermediate("d_ff"),
            Vocabulary = config.Vocabulary(),
            MaxPositions = config.Positions("n_positions", 512),
            Norm = NormFunction.Rms,
            Activation = config.Projection("feed_forward_proj", "relu"),
            TiedEmbeddings = config.Flag("tie_word_embeddings", true),
            Positions = PositionKind.RelativeBias,
            RelativeBuckets = config.Count("relative_attention_num_buckets", 1, 32),
            Type = config.Type(),
        };
    }

    /// <summary>Defaults of WhisperConfig: 80 bands, 1,500 vectors of sound, 448 tokens, gelu, a tied head; biases everywhere but in the projections of keys.</summary>
    public static ModelShape Whisper(ConfigSection config)
    {
        (long hidden, long heads) = config.Heads("d_model", "decoder_attention_heads");
        long intermediate = config.Intermediate("decoder_ffn_dim");
        config.Same("encoder_attention_heads", config.Count("encoder_attention_heads", 1), "decoder_attention_heads", heads);
        config.Same("encoder_ffn_dim", config.Intermediate("encoder_ffn_dim"), "decoder_ffn_dim", intermediate);
        return new ModelShape
        {
            Name = config.Name,
            Family = ModelFamily.EncoderDecoder,
            EncoderLayers = config.Layers("encoder_layers"),
            DecoderLayers = config.Layers("decoder_layers"),
            Hidden = hidden,
            QueryHeads = heads,
            KvHeads = heads,
            HeadDim = hidden / heads,
            Intermediate = intermediate,
            Vocabulary = config.Vocabulary(),
            MaxPositions = config.Positions("max_target_positions", 448),
            Front = new InputFront(3 * config.Features("num_mel_bins", 80), config.Positions("max_source_positions", 1500)) { Halves = true },
            Norm = NormFunction.Layer,
            Activation = config.Function("activation_function", "gelu", gated: false),
            AttentionBiases = AttentionBiases.All & ~AttentionBiases.Key,
            MlpBias = true,
            TiedEmbeddings = config.Flag("tie_word_embeddings", true),
            Positions = PositionKind.Learned,
            Type = config.Type(),
        };
    }
}
