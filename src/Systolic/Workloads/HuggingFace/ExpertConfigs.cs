using System.Collections.Immutable;
using System.Globalization;

namespace Systolic.Workloads;

/// <summary>Configurations of decoder-only models with experts. The division of the chosen weights by their sum (norm_topk_prob), k operations a token, is not counted.</summary>
internal static class ExpertConfigs
{
    /// <summary>Defaults of MixtralConfig: 8 key/value heads, 8 experts, 2 per token, 131,072 positions.</summary>
    public static ModelShape Mixtral(ConfigSection config) =>
        WithExperts(config, RotaryConfigs.Rotary(config, config.Count("num_attention_heads", 1), config.Count("num_key_value_heads", 1, 8), 131_072), "num_local_experts", 8, 2) with { SlidingWindow = config.Window() };

    /// <summary>Defaults of Qwen3MoeConfig: 4 key/value heads, head_dim = hidden / heads, 128 experts, 8 per token, in every layer.</summary>
    public static ModelShape Qwen3(ConfigSection config)
    {
        config.Only("decoder_sparse_step", 1, "every layer has experts, but those of mlp_only_layers");
        ModelShape shape = RotaryConfigs.Qwen3(config, 4, null);
        return WithExperts(config, shape, "num_experts", 128, 8) with
        {
            Intermediate = config.Intermediate("moe_intermediate_size", 768),
            DenseIntermediate = shape.Intermediate,
            DenseLayers = LeadingLayers(config),
        };
    }

    /// <summary>Defaults of DeepseekV2Config and DeepseekV3Config; latent attention, shared experts, dense leading layers, in version 3 a bias of the router and layers for later tokens.</summary>
    public static ModelShape DeepSeek(ConfigSection config)
    {
        bool third = config.Json.Text("model_type") == "deepseek_v3";
        config.Refuse("attention_bias", true, "projections are built without biases");
        config.Only("moe_layer_freq", 1, "every layer behind the dense ones has experts");
        long heads = config.Count("num_attention_heads", 1);
        long rotated = config.Features("qk_rope_head_dim", 64);
        ModelShape shape = RotaryConfigs.Rotary(config, heads, config.Count("num_key_value_heads", 1, heads), 4096, checked(config.Features("qk_nope_head_dim", 128) + rotated));
        long intermediate = config.Intermediate("moe_intermediate_size", third ? 2048 : 1407);
        return WithExperts(config, shape, "n_routed_experts", third ? 256 : 64, third ? 8 : 6) with
        {
            ValueDim = config.Features("v_head_dim", 128),
            SharedDim = rotated,
            QueryRank = config.Json.Keys.Contains("q_lora_rank") && !config.Json.Has("q_lora_rank") ? 0 : config.Features("q_lora_rank", 1536),
            KvRank = config.Features("kv_lora_rank", 512),
            Intermediate = intermediate,
            DenseIntermediate = shape.Intermediate,
            DenseLayers = config.Count("first_k_dense_replace", 0, third ? 3 : 0),
            SharedIntermediate = checked(intermediate * config.Count("n_shared_experts", 0, third ? 1 : 2)),
            RouterBias = third,
            PredictionLayers = config.Count("num_nextn_predict_layers", 0, 0),
        };
    }

    private static ModelShape WithExperts(ConfigSection config, ModelShape shape, string key, long defaultExperts, long defaultVisited)
    {
        long experts = config.Count(key, 1, defaultExperts);
        long visited = config.Count("num_experts_per_tok", 1, defaultVisited);
        config.AtMost("num_experts_per_tok", visited, key, experts);
        return shape with { Experts = experts, ExpertsPerToken = visited };
    }

    /// <summary>Dense layers are the leading ones, or none.</summary>
    private static long LeadingLayers(ConfigSection config)
    {
        ImmutableArray<long> layers = config.Json.Integers("mlp_only_layers", 0, 10_000);
        if (!layers.Order().SequenceEqual(Enumerable.Range(0, layers.Length).Select(layer => (long)layer)))
        {
            config.Json.Problem("mlp_only_layers", $"found [{string.Join(", ", layers.Select(layer => layer.ToString(CultureInfo.InvariantCulture)))}], expected none or the leading layers");
        }

        return layers.Length;
    }
}
