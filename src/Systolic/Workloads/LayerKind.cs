using System.Collections.Immutable;

namespace Systolic.Workloads;

/// <summary>What tells the layers of one stack apart.</summary>
/// <param name="Windowed">Attention has the sliding window.</param>
/// <param name="Sparse">The feed-forward block has experts.</param>
internal readonly record struct LayerKind(bool Windowed, bool Sparse)
{
    /// <summary>The kind of layer <paramref name="index"/> of the causal stack.</summary>
    public static LayerKind Of(ModelShape shape, long index) => new(
        shape.SlidingWindow is not null && index >= shape.FullLayers && (shape.FullEvery == 0 || (index + 1) % shape.FullEvery != 0),
        shape.Experts > 0 && index >= shape.DenseLayers);

    /// <summary>The kinds of the first <paramref name="layers"/> layers with their numbers, in the order of their first appearance.</summary>
    public static ImmutableArray<(LayerKind Kind, long Count)> Count(ModelShape shape, long layers)
    {
        var kinds = new List<(LayerKind Kind, long Count)>();
        for (long layer = 0; layer < layers; layer++)
        {
            LayerKind kind = Of(shape, layer);
            int known = kinds.FindIndex(entry => entry.Kind == kind);
            if (known < 0)
            {
                kinds.Add((kind, 1));
            }
            else
            {
                kinds[known] = (kind, kinds[known].Count + 1);
            }
        }

        return [.. kinds];
    }

    /// <summary>What a layer is called: by what tells it apart where a model has several kinds.</summary>
    public string Name(ModelShape shape) => (Windowed && (shape.FullLayers > 0 || shape.FullEvery > 0) ? "sliding_" : "")
        + (!Sparse && shape.Experts > 0 ? "dense_" : "") + "layer";

    /// <summary>The keys that each of <paramref name="tokens"/> tokens sees; null when all before it.</summary>
    public long? Window(ModelShape shape, long tokens) => Windowed && shape.SlidingWindow < tokens ? shape.SlidingWindow : null;
}
