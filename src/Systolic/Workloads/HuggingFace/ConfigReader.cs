using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Workloads;

/// <summary>Reads the config.json of a Hugging Face model, of the types in <see cref="ModelTypes"/>.</summary>
/// <remarks>
/// Keys that do not decide a size or a shape are ignored; those that would change the arithmetic and are not built are refused by name. Sizes that tell models apart (hidden size, layers, heads, vocabulary...) are
/// required although the Transformers library has defaults for them; other missing keys take that library's defaults.
/// </remarks>
public static class ConfigReader
{
    private static readonly ImmutableArray<(string ModelType, Func<ConfigSection, ModelShape> Read)> Readers =
    [
        ("bert", EncoderConfigs.Bert),
        ("deepseek_v2", ExpertConfigs.DeepSeek),
        ("deepseek_v3", ExpertConfigs.DeepSeek),
        ("falcon", DecoderConfigs.Falcon),
        ("gemma2", RotaryConfigs.Gemma2),
        ("gpt2", DecoderConfigs.Gpt2),
        ("llama", RotaryConfigs.Llama),
        ("llava", VisionConfigs.Llava),
        ("mistral", RotaryConfigs.Mistral),
        ("mixtral", ExpertConfigs.Mixtral),
        ("opt", DecoderConfigs.Opt),
        ("phi3", RotaryConfigs.Phi3),
        ("qwen2", RotaryConfigs.Qwen2),
        ("qwen3", RotaryConfigs.Qwen3),
        ("qwen3_moe", ExpertConfigs.Qwen3),
        ("t5", EncoderConfigs.T5),
        ("vit", VisionConfigs.Vit),
        ("whisper", EncoderConfigs.Whisper),
    ];

    /// <summary>Values of "model_type" that can be read.</summary>
    public static ImmutableArray<string> ModelTypes { get; } = [.. Readers.Select(reader => reader.ModelType)];

    /// <summary>The shape that a configuration describes.</summary>
    /// <param name="json">The text of the file.</param>
    /// <param name="file">Its name, for messages and for the name of the model: a config.json is called after its folder.</param>
    /// <exception cref="InvalidDocumentException">Malformed, of an unsupported type, or with keys that are missing or impossible; lists all of them.</exception>
    public static ModelShape Read(string json, string file)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(file);
        JsonSection root = JsonSection.Parse(json, file);
        string modelType = root.Text("model_type");
        if (modelType.Length == 0)
        {
            root.Finish();
        }

        Func<ConfigSection, ModelShape>? read = Readers.FirstOrDefault(reader => reader.ModelType == modelType).Read;
        if (read is null)
        {
            root.Problem("model_type", $"found \"{modelType}\", expected one of: {string.Join(", ", ModelTypes)}{Suggestion(modelType)}");
        }

        var config = new ConfigSection(root, ModelName(file));
        config.Without("quantization_config", "weights of another type than activations are not built; remove the key to run the model in its dtype");
        ModelShape? shape = read?.Invoke(config);
        RequireLayerTypes(root, shape);
        root.Finish();
        return Checked(shape!, file);
    }

    /// <summary>Newer files list the kind of attention of every layer; it is the one that the other keys give, or refused.</summary>
    private static void RequireLayerTypes(JsonSection root, ModelShape? shape)
    {
        ImmutableArray<string> types = root.Texts("layer_types");
        if (shape is not null && !types.IsEmpty
            && !types.SequenceEqual(Enumerable.Range(0, (int)shape.DecoderLayers).Select(layer => LayerKind.Of(shape, layer).Windowed ? "sliding_attention" : "full_attention")))
        {
            root.Problem("layer_types", "found other layers with a sliding window than the keys of the window give, expected the same");
        }
    }

    private static string Suggestion(string modelType) =>
        Nearest.Of(modelType, ModelTypes) is [string nearest, ..] ? $"; did you mean {nearest}?" : "";

    /// <summary>Checks what only the shape as a whole can tell.</summary>
    private static ModelShape Checked(ModelShape shape, string file)
    {
        ImmutableArray<string> problems = shape.Problems();
        return problems.IsEmpty ? shape : throw new InvalidDocumentException(problems.Select(problem => $"{file}: (root): {problem}"));
    }

    private static string ModelName(string file)
    {
        string stem = Path.GetFileNameWithoutExtension(file);
        bool config = string.Equals(Path.GetFileName(file), "config.json", StringComparison.Ordinal);
        string? folder = config ? Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(file))) : null;
        return folder is { Length: > 0 } ? folder : Path.GetExtension(file) == ".json" ? stem : Path.GetFileName(file);
    }
}
