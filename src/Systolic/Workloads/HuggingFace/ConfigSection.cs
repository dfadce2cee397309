using System.Collections.Immutable;
using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Workloads;

/// <summary>The keys of a config.json with their bounds and checks; sizes beyond any real model are refused here, so that later sums stay countable.</summary>
/// <param name="Json">The file's object.</param>
/// <param name="Name">The model's name.</param>
internal sealed record ConfigSection(JsonSection Json, string Name)
{
    /// <summary>It lies inside the configuration of another model, which leaves sizes to the library's defaults.</summary>
    public bool Nested { get; init; }

    private const long MaximumLayers = 10_000;
    private const long MaximumFeatures = 1 << 20;
    private const long MaximumIntermediate = 1 << 24;
    private const long MaximumVocabulary = 1 << 24;
    private const long MaximumPositions = 1L << 32;
    private const long MaximumHeads = 1 << 16;

    private static readonly ImmutableArray<(string Text, ElementwiseFunction Plain, ElementwiseFunction? Gated)> Functions =
    [
        ("gelu", ElementwiseFunction.Gelu, ElementwiseFunction.GatedGelu),
        ("gelu_fast", ElementwiseFunction.Gelu, ElementwiseFunction.GatedGelu),
        ("gelu_new", ElementwiseFunction.Gelu, ElementwiseFunction.GatedGelu),
        ("gelu_pytorch_tanh", ElementwiseFunction.Gelu, ElementwiseFunction.GatedGelu),
        ("quick_gelu", ElementwiseFunction.Gelu, ElementwiseFunction.GatedGelu),
        ("relu", ElementwiseFunction.Relu, ElementwiseFunction.GatedRelu),
        ("silu", ElementwiseFunction.Silu, ElementwiseFunction.GatedSilu),
        ("swish", ElementwiseFunction.Silu, ElementwiseFunction.GatedSilu),
        ("tanh", ElementwiseFunction.Tanh, null),
    ];

    public long Layers(string key, long? fallback = null) => Json.Integer(key, 1, MaximumLayers, fallback);

    public long Features(string key, long? fallback = null) => Json.Integer(key, 1, MaximumFeatures, fallback);

    public long Intermediate(string key, long? fallback = null) => Json.Integer(key, 1, MaximumIntermediate, fallback);

    public long Vocabulary() => Json.Integer("vocab_size", 1, MaximumVocabulary);

    public long Positions(string key, long? fallback = null) => Json.Integer(key, 1, MaximumPositions, fallback);

    public long Count(string key, long minimum, long? fallback = null) => Json.Integer(key, minimum, MaximumHeads, fallback);

    public bool Flag(string key, bool fallback) => Json.Boolean(key, fallback);

    /// <summary>The element type under its new or its old key; bf16 when the file names none.</summary>
    public DataType Type() => Json.Quantity<DataType>(Json.Has("dtype") ? "dtype" : "torch_dtype", DataTypes.Parse, DataType.Bf16);

    /// <summary>An activation by the name that the Transformers library gives it.</summary>
    public ElementwiseFunction Function(string key, string fallback, bool gated) => FunctionNamed(key, Json.Text(key, fallback), gated);

    /// <summary>T5 writes the gate into the name: "gated-gelu".</summary>
    public ElementwiseFunction Projection(string key, string fallback)
    {
        const string gate = "gated-";
        string text = Json.Text(key, fallback);
        return text.StartsWith(gate, StringComparison.Ordinal) ? FunctionNamed(key, text[gate.Length..], true) : FunctionNamed(key, text, false);
    }

    /// <summary>Features of the residual stream, and the heads that divide them.</summary>
    public (long Hidden, long Heads) Heads(string hiddenKey, string headsKey)
    {
        (long hidden, long heads) = (Features(hiddenKey), Count(headsKey, 1));
        Divides(hiddenKey, hidden, headsKey, heads);
        return (hidden, heads);
    }

    /// <summary>Records a problem when <paramref name="value"/> is no multiple; a size of one stands for a key that failed already.</summary>
    public void Divides(string key, long value, string divisorKey, long divisor)
    {
        if (value > 1 && divisor > 1 && value % divisor != 0)
        {
            Json.Problem(key, FormattableString.Invariant($"found {value}, expected a multiple of {divisorKey}, which is {divisor}"));
        }
    }

    /// <summary>Records a problem when <paramref name="value"/> exceeds <paramref name="limit"/>; a limit of one may stand for a key that failed already.</summary>
    public void AtMost(string key, long value, string limitKey, long limit)
    {
        if (limit > 1 && value > limit)
        {
            Json.Problem(key, FormattableString.Invariant($"found {value}, expected at most {limitKey}, which is {limit}"));
        }
    }

    /// <summary>The keys that a query sees; null when the file says so, or says nothing and <paramref name="fallback"/> is null.</summary>
    public long? Window(long? fallback = null) =>
        Json.Has("sliding_window") ? Positions("sliding_window") : Json.Keys.Contains("sliding_window") ? null : fallback;

    /// <summary>The bound of a soft cap; null when the file says so.</summary>
    public double? Cap(string key, double fallback) =>
        Json.Has(key) || !Json.Keys.Contains(key) ? Json.Number(key, 1e-3, 1e6, fallback) : null;

    /// <summary>Records a problem when two keys, each for one of two stacks, differ.</summary>
    public void Same(string key, long value, string otherKey, long other)
    {
        if (value != other)
        {
            Json.Problem(key, FormattableString.Invariant($"found {value}, expected that of {otherKey}, which is {other}: both stacks are built alike"));
        }
    }

    /// <summary>Records a problem when a key has a value other than the one that is built; a missing key or null is that one.</summary>
    public void Only(string key, double value, string reason)
    {
        if (Json.Has(key) && Json.Number(key, -1e9, 1e9, value) is var found && found != value)
        {
            Json.Problem(key, FormattableString.Invariant($"found {found}, expected {value}: {reason}"));
        }
    }

    /// <summary>Records a problem when a text differs from the one that is built.</summary>
    public void Only(string key, string value, string reason)
    {
        if (Json.Text(key, value) is { Length: > 0 } found && found != value)
        {
            Json.Problem(key, $"found \"{found}\", expected \"{value}\": {reason}");
        }
    }

    /// <summary>Records a problem when a key is there that would change the arithmetic.</summary>
    public void Without(string key, string reason)
    {
        if (Json.Has(key))
        {
            Json.Problem(key, $"found a value, expected none: {reason}");
        }
    }

    /// <summary>Records a problem when a flag has the value that would make another model of it.</summary>
    public void Refuse(string key, bool value, string reason)
    {
        if (Json.Has(key) && Json.Boolean(key, !value) == value)
        {
            Json.Problem(key, $"found {(value ? "true" : "false")}, expected {(value ? "false" : "true")}: {reason}");
        }
    }

    private ElementwiseFunction FunctionNamed(string key, string text, bool gated)
    {
        foreach ((string name, ElementwiseFunction plain, ElementwiseFunction? product) in Functions)
        {
            if (name == text && (gated ? product : plain) is { } function)
            {
                return function;
            }
        }

        if (text.Length > 0)
        {
            Json.Problem(key, $"found \"{text}\", expected {(gated ? "a function that can gate" : "one of")}: {string.Join(", ", Functions.Where(f => !gated || f.Gated is not null).Select(f => f.Text))}");
        }

        return ElementwiseFunction.Relu;
    }
}
