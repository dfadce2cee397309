using System.Collections.Immutable;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Sizes of the published models whose speed was measured, from their configuration files.</summary>
internal static class ModelShapesOfRows
{
    private static readonly ImmutableArray<ModelShape> Shapes = PublishedTable.Load(
        "model-shapes.csv", ["model", "kind", "layers", "hidden", "heads", "kv_heads", "head_dim", "intermediate", "vocabulary", "context"], Read);

    /// <summary>The model that a text names, the longest such name; null without one.</summary>
    public static ModelShape? Find(string text) => Shapes.Where(shape => text.Contains(shape.Name, StringComparison.OrdinalIgnoreCase)).MaxBy(shape => shape.Name.Length);

    private static ModelShape Read(CsvRow row)
    {
        ModelShape decoder = PublishedTable.Decoder(row) with { MaxPositions = PublishedTable.Size(row, "context") };
        return row.Text("kind") switch
        {
            "encoder" => decoder with
            {
                Family = ModelFamily.EncoderOnly,
                EncoderLayers = decoder.DecoderLayers,
                DecoderLayers = 0,
                Norm = NormFunction.Layer,
                Activation = ElementwiseFunction.Gelu,
                Positions = PositionKind.Learned,
                NormPlacement = NormPlacement.After,
                EmbeddingNorm = true,
                AttentionBiases = AttentionBiases.All,
                MlpBias = true,
                TiedEmbeddings = true,
                TokenTypes = 2,
            },
            "t5" => decoder with
            {
                Family = ModelFamily.EncoderDecoder,
                EncoderLayers = decoder.DecoderLayers,
                Activation = decoder.Name == "flan-t5-xl" ? ElementwiseFunction.GatedGelu : ElementwiseFunction.Relu,
                Positions = PositionKind.RelativeBias,
                RelativeBuckets = 32,
                TiedEmbeddings = true,
            },
            "gpt" => decoder with { Norm = NormFunction.Layer, Activation = ElementwiseFunction.Gelu, AttentionBiases = AttentionBiases.All, MlpBias = true },
            _ => decoder,
        };
    }
}
