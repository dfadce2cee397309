using System.Collections.Immutable;
using Systolic.Numerics;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Sizes of the published models whose speed was measured, from their configuration files.</summary>
internal static class ModelShapesOfRows
{
    private static readonly ImmutableArray<string> Columns = ["model", "kind", "layers", "hidden", "heads", "kv_heads", "head_dim", "intermediate", "vocabulary", "context"];

    private static readonly ImmutableArray<ModelShape> Shapes = Load();

    /// <summary>The model that a text names, the longest such name; null without one.</summary>
    public static ModelShape? Find(string text) => Shapes.Where(shape => text.Contains(shape.Name, StringComparison.OrdinalIgnoreCase)).MaxBy(shape => shape.Name.Length);

    private static ImmutableArray<ModelShape> Load()
    {
        var table = CsvTable.Parse(DocumentText.ReadEmbedded("Validation/model-shapes.csv"), "model-shapes.csv", Columns);
        ImmutableArray<ModelShape> shapes = [.. table.Rows.Select(Read)];
        table.Finish();
        return shapes;
    }

    private static ModelShape Read(CsvRow row)
    {
        long Size(string column) => row.Integer(column, 1, 1 << 24);
        string kind = row.Text("kind");
        (ModelFamily family, long encoder, long decoder) = kind switch
        {
            "encoder" => (ModelFamily.EncoderOnly, Size("layers"), 0L),
            "t5" => (ModelFamily.EncoderDecoder, Size("layers"), Size("layers")),
            _ => (ModelFamily.DecoderOnly, 0L, Size("layers")),
        };
        return new ModelShape
        {
            Name = row.Text("model"),
            Family = family,
            EncoderLayers = encoder,
            DecoderLayers = decoder,
            Hidden = Size("hidden"),
            QueryHeads = Size("heads"),
            KvHeads = Size("kv_heads"),
            HeadDim = Size("head_dim"),
            Intermediate = Size("intermediate"),
            Vocabulary = Size("vocabulary"),
            MaxPositions = Size("context"),
            Norm = kind is "llama" or "t5" ? NormFunction.Rms : NormFunction.Layer,
            Activation = kind == "llama" ? ElementwiseFunction.GatedSilu : row.Text("model") == "flan-t5-xl" ? ElementwiseFunction.GatedGelu : kind == "t5" ? ElementwiseFunction.Relu : ElementwiseFunction.Gelu,
            Positions = kind == "t5" ? PositionKind.RelativeBias : kind == "encoder" ? PositionKind.Learned : PositionKind.Rotary,
            RelativeBuckets = kind == "t5" ? 32 : 0,
            NormPlacement = kind == "encoder" ? NormPlacement.After : NormPlacement.Before,
            EmbeddingNorm = kind == "encoder",
            AttentionBiases = kind is "encoder" or "gpt" ? AttentionBiases.All : AttentionBiases.None,
            MlpBias = kind is "encoder" or "gpt",
            TiedEmbeddings = kind is "encoder" or "t5",
            TokenTypes = kind == "encoder" ? 2 : 0,
            Type = DataType.Bf16,
        };
    }
}
