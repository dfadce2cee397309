using System.Collections.Immutable;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Sizes of the published models whose energy was measured, from their configuration files.</summary>
internal static class PowerModels
{
    private static readonly ImmutableArray<ModelShape> Shapes = PublishedTable.Load(
        "power-models.csv", ["model", "layers", "hidden", "heads", "kv_heads", "head_dim", "intermediate", "vocabulary", "experts", "experts_per_token", "gated"], Read);

    /// <summary>The model whose name a text begins with, the longest such name; null without one.</summary>
    public static ModelShape? Find(string text) =>
        Shapes.Where(shape => text.StartsWith(shape.Name, StringComparison.Ordinal)).MaxBy(shape => shape.Name.Length);

    private static ModelShape Read(CsvRow row)
    {
        bool gated = PublishedTable.Size(row, "gated", 0) == 1;
        return PublishedTable.Decoder(row) with
        {
            Norm = gated ? NormFunction.Rms : NormFunction.Layer,
            Activation = gated ? ElementwiseFunction.GatedSilu : ElementwiseFunction.Gelu,
            Experts = PublishedTable.Size(row, "experts", 0),
            ExpertsPerToken = PublishedTable.Size(row, "experts_per_token", 0),
        };
    }
}
