using System.Collections.Immutable;
using Systolic.Numerics;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Sizes of the published models whose energy was measured, from their configuration files.</summary>
internal static class PowerModels
{
    private static readonly ImmutableArray<string> Columns =
        ["model", "layers", "hidden", "heads", "kv_heads", "head_dim", "intermediate", "vocabulary", "experts", "experts_per_token", "gated"];

    private static readonly ImmutableArray<ModelShape> Shapes = Load();

    /// <summary>The model whose name a text begins with, the longest such name; null without one.</summary>
    public static ModelShape? Find(string text) =>
        Shapes.Where(shape => text.StartsWith(shape.Name, StringComparison.Ordinal)).MaxBy(shape => shape.Name.Length);

    private static ImmutableArray<ModelShape> Load()
    {
        var table = CsvTable.Parse(DocumentText.ReadEmbedded("Validation/power-models.csv"), "power-models.csv", Columns);
        ImmutableArray<ModelShape> shapes = [.. table.Rows.Select(Read)];
        table.Finish();
        return shapes;
    }

    private static ModelShape Read(CsvRow row)
    {
        long Size(string column, long least = 1) => row.Integer(column, least, 1 << 24);
        bool gated = Size("gated", 0) == 1;
        return new ModelShape
        {
            Name = row.Text("model"),
            Family = ModelFamily.DecoderOnly,
            DecoderLayers = Size("layers"),
            Hidden = Size("hidden"),
            QueryHeads = Size("heads"),
            KvHeads = Size("kv_heads"),
            HeadDim = Size("head_dim"),
            Intermediate = Size("intermediate"),
            Vocabulary = Size("vocabulary"),
            MaxPositions = 1 << 17,
            Norm = gated ? NormFunction.Rms : NormFunction.Layer,
            Activation = gated ? ElementwiseFunction.GatedSilu : ElementwiseFunction.Gelu,
            Positions = PositionKind.Rotary,
            Experts = Size("experts", 0),
            ExpertsPerToken = Size("experts_per_token", 0),
            Type = DataType.Bf16,
        };
    }
}
