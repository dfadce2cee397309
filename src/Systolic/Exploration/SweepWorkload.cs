using System.Globalization;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Exploration;

/// <summary>The workload of a design point.</summary>
/// <param name="Model">A preset, or a config.json of Hugging Face, or its folder.</param>
public sealed record SweepWorkload(string Model)
{
    internal const long LargestSize = 1L << 30;
    internal static readonly string[] Keys = ["model", "phase", "tokens", "context", "batch", "layers"];
    internal static readonly string[] Phases = ["prefill", "decode", "training"];
    internal static readonly string[] LayerCounts = ["all", "1"];

    /// <summary>"prefill", "decode" or "training".</summary>
    public string Phase { get; init; } = Phases[0];

    /// <summary>Tokens per sequence, in prefill and training.</summary>
    public long Tokens { get; init; } = 2048;

    /// <summary>Tokens per sequence that are cached already, in decode.</summary>
    public long Context { get; init; } = 2048;

    /// <summary>Sequences.</summary>
    public long Batch { get; init; } = 1;

    /// <summary>"all" for the whole model, "1" for one layer without embeddings and head.</summary>
    public string Layers { get; init; } = LayerCounts[0];

    /// <summary>The operators.</summary>
    /// <exception cref="ArgumentException">The model refuses a size.</exception>
    internal OperatorGraph Build(ModelShape shape) => (Phase, Layers == "1") switch
    {
        ("prefill", true) => TransformerLayer.Prefill(shape, Batch, Tokens),
        ("prefill", false) => TransformerModel.Prefill(shape, Batch, Tokens),
        ("decode", true) => TransformerLayer.Decode(shape, Batch, Context),
        ("decode", false) => TransformerModel.Decode(shape, Batch, Context),
        (_, true) => TransformerLayer.Training(shape, Batch, Tokens),
        _ => TransformerModel.Training(shape, Batch, Tokens),
    };

    /// <summary>The same with another value at one of <see cref="Keys"/>.</summary>
    /// <exception cref="FormatException">There is no such key, or it cannot have this value.</exception>
    internal SweepWorkload With(string key, string value) => key switch
    {
        "model" => this with { Model = value },
        "phase" => this with { Phase = OneOf(value, Phases) },
        "tokens" => this with { Tokens = Size(value) },
        "context" => this with { Context = Size(value) },
        "batch" => this with { Batch = Size(value) },
        "layers" => this with { Layers = OneOf(value, LayerCounts) },
        _ => throw new FormatException($"found an unknown key{Nearest.Hint(key, Keys)}"),
    };

    private static string OneOf(string value, string[] words) =>
        words.Contains(value) ? value : throw new FormatException($"found {UnitText.Quote(value)}, expected one of: {string.Join(", ", words)}");

    private static long Size(string value) => long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long size) && size is >= 1 and <= LargestSize
        ? size
        : throw new FormatException(FormattableString.Invariant($"found {UnitText.Quote(value)}, expected a whole number from 1 to {LargestSize}"));
}
