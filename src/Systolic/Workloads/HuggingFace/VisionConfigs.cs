namespace Systolic.Workloads;

/// <summary>Configurations of models that read pictures.</summary>
internal static class VisionConfigs
{
    /// <summary>Defaults of ViTConfig: pictures of 224 x 224 pixels in patches of 16, three channels, gelu, biases everywhere. Classes are those of id2label; without them the model ends in its normalization.</summary>
    public static ModelShape Vit(ConfigSection config)
    {
        AttentionBiases biases = config.Flag("qkv_bias", true) ? AttentionBiases.All : AttentionBiases.Output;
        long labels = config.Json.Has("id2label") ? config.Json.Section("id2label").Keys.LongCount() : config.Count("num_labels", 0, 0);
        return Patches(config, 224, 16) with { AttentionBiases = biases, Vocabulary = labels };
    }

    /// <summary>Defaults of LlavaConfig: a Llama behind a CLIP encoder of which the last layer but one is read, and a projector of two products.</summary>
    public static ModelShape Llava(ConfigSection config)
    {
        config.Only("vision_feature_select_strategy", "default", "the class vector is left out");
        config.Refuse("multimodal_projector_bias", false, "the projector is built with biases");
        config.Only("projector_hidden_act", "gelu", "the projector is built with it");
        var text = new ConfigSection(config.Json.Section("text_config"), config.Name) { Nested = true };
        var vision = new ConfigSection(config.Json.Section("vision_config"), config.Name + "/vision") { Nested = true };
        text.Only("model_type", "llama", "the text model is read as a Llama");
        vision.Only("model_type", "clip_vision_model", "the encoder is read as that of CLIP");
        ModelShape shape = RotaryConfigs.Llama(text), tower = Patches(vision, 224, 32) with { EmbeddingNorm = true };
        tower = tower with { Front = tower.Front! with { Bias = false }, Type = shape.Type };
        long layer = config.Json.Integer("vision_feature_layer", -tower.EncoderLayers, -1, -2);
        return shape with { Vision = tower, VisionLayersUsed = tower.EncoderLayers + 1 + layer };
    }

    private static ModelShape Patches(ConfigSection config, long defaultSize, long defaultPatch)
    {
        (long hidden, long heads) = config.Heads("hidden_size", "num_attention_heads");
        long size = config.Features("image_size", defaultSize), patch = config.Features("patch_size", defaultPatch);
        config.AtMost("patch_size", patch, "image_size", size);
        long side = size / patch, vectors = (side * side) + 1;
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
            Vocabulary = 0,
            MaxPositions = vectors,
            Front = new InputFront(config.Count("num_channels", 1, 3) * patch * patch, vectors) { ClassVector = true },
            Norm = NormFunction.Layer,
            Activation = config.Function("hidden_act", config.Nested ? "quick_gelu" : "gelu", gated: false),
            AttentionBiases = AttentionBiases.All,
            MlpBias = true,
            Positions = PositionKind.Learned,
            Type = config.Type(),
        };
    }
}
