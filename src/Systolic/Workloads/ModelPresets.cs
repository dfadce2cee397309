using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Workloads;

/// <summary>Published models as configuration files that come with the library, and the one way to load a model by name or path.</summary>
public static class ModelPresets
{
    private const string ConfigFile = "config.json";

    /// <summary>Names of the presets, small to large within a family.</summary>
    public static ImmutableArray<string> Names { get; } =
    [
        "gpt2", "gpt2-xl", "gpt3-175b", "bert-base", "bert-large", "t5-base",
        "llama-2-7b", "llama-2-70b", "llama-3-8b", "llama-3-70b", "mistral-7b", "mixtral-8x7b",
        "qwen2.5-0.5b", "qwen2.5-7b", "qwen3-8b", "qwen3-30b-a3b", "gemma2-2b", "gemma2-9b", "phi3-mini",
        "opt-350m", "opt-1.3b", "falcon-7b", "falcon-40b", "deepseek-v2-lite", "deepseek-v3",
        "whisper-tiny", "whisper-large-v3", "vit-base", "llava-1.5-7b",
    ];

    /// <summary>A preset by name, or the model of a Hugging Face config.json, or of a folder that holds one.</summary>
    /// <exception cref="InvalidDocumentException">Neither, or the file is no supported configuration; all its problems are listed.</exception>
    public static ModelShape Load(string nameOrPath)
    {
        ArgumentNullException.ThrowIfNull(nameOrPath);
        if (Names.Contains(nameOrPath))
        {
            return ConfigReader.Read(Json(nameOrPath), nameOrPath);
        }

        string? file = File.Exists(nameOrPath) ? nameOrPath
            : Directory.Exists(nameOrPath) && File.Exists(Path.Combine(nameOrPath, ConfigFile)) ? Path.Combine(nameOrPath, ConfigFile)
            : null;
        return file is null ? throw Unknown(nameOrPath) : ConfigReader.Read(DocumentText.Read(file), file);
    }

    /// <summary>The configuration text of a preset, to start a variant from.</summary>
    /// <exception cref="InvalidDocumentException">There is no preset of that name.</exception>
    public static string Json(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Names.Contains(name))
        {
            throw Unknown(name);
        }

        return DocumentText.ReadEmbedded($"Models/{name}.json");
    }

    private static InvalidDocumentException Unknown(string name) =>
        new($"{name}: found no such model, expected a preset, a {ConfigFile} or a folder that holds one{Nearest.Hint(name, Names)}");
}
