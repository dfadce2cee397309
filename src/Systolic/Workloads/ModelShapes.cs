namespace Systolic.Workloads;

/// <summary>The presets as values, each read once.</summary>
public static class ModelShapes
{
    /// <summary>GPT-2 small (Radford et al. 2019).</summary>
    public static ModelShape Gpt2 { get; } = ModelPresets.Load("gpt2");

    /// <summary>GPT-2 XL (Radford et al. 2019).</summary>
    public static ModelShape Gpt2_XL { get; } = ModelPresets.Load("gpt2-xl");

    /// <summary>GPT-3 175B (Brown et al. 2020, table 2.1), every layer dense.</summary>
    public static ModelShape Gpt3_175B { get; } = ModelPresets.Load("gpt3-175b");

    /// <summary>BERT base, uncased (Devlin et al. 2019).</summary>
    public static ModelShape Bert_Base { get; } = ModelPresets.Load("bert-base");

    /// <summary>BERT large, uncased (Devlin et al. 2019).</summary>
    public static ModelShape Bert_Large { get; } = ModelPresets.Load("bert-large");

    /// <summary>T5 base (Raffel et al. 2020).</summary>
    public static ModelShape T5_Base { get; } = ModelPresets.Load("t5-base");

    /// <summary>Llama 2 7B (Touvron et al. 2023).</summary>
    public static ModelShape Llama2_7B { get; } = ModelPresets.Load("llama-2-7b");

    /// <summary>Llama 2 70B (Touvron et al. 2023).</summary>
    public static ModelShape Llama2_70B { get; } = ModelPresets.Load("llama-2-70b");

    /// <summary>Llama 3 8B (Llama Team 2024).</summary>
    public static ModelShape Llama3_8B { get; } = ModelPresets.Load("llama-3-8b");

    /// <summary>Llama 3 70B (Llama Team 2024).</summary>
    public static ModelShape Llama3_70B { get; } = ModelPresets.Load("llama-3-70b");

    /// <summary>Mixtral 8x7B (Jiang et al. 2024).</summary>
    public static ModelShape Mixtral_8x7B { get; } = ModelPresets.Load("mixtral-8x7b");
}
