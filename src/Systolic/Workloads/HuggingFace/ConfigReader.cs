using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Workloads;

/// <summary>Reads the config.json of a Hugging Face model: gpt2, llama, mixtral, bert and t5.</summary>
/// <remarks>
/// Keys that do not decide a size or a shape are ignored. Sizes that tell models apart (hidden size, layers, heads, vocabulary...) are
/// required although the Transformers library has defaults for them; other missing keys take that library's defaults.
/// </remarks>
public static class ConfigReader
{
    private static readonly ImmutableArray<(string ModelType, Func<ConfigSection, ModelShape> Read)> Readers =
    [
        ("bert", EncoderConfigs.Bert),
        ("gpt2", DecoderConfigs.Gpt2),
        ("llama", DecoderConfigs.Llama),
        ("mixtral", DecoderConfigs.Mixtral),
        ("t5", EncoderConfigs.T5),
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

        ModelShape? shape = read?.Invoke(new ConfigSection(root, ModelName(file)));
        root.Finish();
        return Checked(shape!, file);
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
