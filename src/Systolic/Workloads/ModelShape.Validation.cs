using System.Collections.Immutable;

namespace Systolic.Workloads;

/// <content>Checks.</content>
public sealed partial record ModelShape
{
    /// <summary>What makes this shape impossible, each as "found ..., expected ..."; empty when it can exist.</summary>
    internal ImmutableArray<string> Problems()
    {
        var problems = ImmutableArray.CreateBuilder<string>();
        Require(problems, Hidden >= 1 && QueryHeads >= 1 && KvHeads >= 1 && HeadDim >= 1 && Intermediate >= 1 && Vocabulary >= (Front is null || Family != ModelFamily.EncoderOnly ? 1 : 0) && MaxPositions >= 1,
            $"hidden {Hidden}, query heads {QueryHeads}, kv heads {KvHeads}, head dimension {HeadDim}, intermediate {Intermediate}, vocabulary {Vocabulary}, positions {MaxPositions}",
            "each at least 1");
        Require(problems, KvHeads < 1 || QueryHeads % KvHeads == 0, $"{QueryHeads} query heads over {KvHeads} kv heads", "a multiple");
        Require(problems, HeadDim < 1 || Positions != PositionKind.Rotary || HeadDim % 2 == 0, $"rotary positions with head dimension {HeadDim}", "an even one");
        Require(problems, TokenTypes >= 0 && RelativeBuckets >= 0, $"{TokenTypes} token types and {RelativeBuckets} relative buckets", "none negative");
        Require(problems, Experts == 0 ? ExpertsPerToken == 0 : ExpertsPerToken >= 1 && ExpertsPerToken <= Experts, $"{ExpertsPerToken} of {Experts} experts per token", "1 up to all, or 0 of 0");
        Require(problems, DenseLayers >= 0 && SharedIntermediate >= 0 && PredictionLayers >= 0 && UnusedPositions >= 0 && EmbeddingWidth >= 0 && FullLayers >= 0 && FullEvery >= 0,
            $"dense layers {DenseLayers}, shared intermediate {SharedIntermediate}, prediction layers {PredictionLayers}, unused positions {UnusedPositions}, embedding width {EmbeddingWidth}, full layers {FullLayers}, one full of every {FullEvery}",
            "none negative");
        Require(problems, Experts == 0 || DenseLayers == 0 || DenseIntermediate >= 1, $"{DenseLayers} dense layers of intermediate {DenseIntermediate}", "at least 1");
        Require(problems, SlidingWindow is null or >= 1, $"a window of {SlidingWindow} keys", "at least 1");
        Require(problems, HeadDim < 1 || ValueDim >= 1 && ValueDim <= HeadDim, $"{ValueDim} features of a value and {HeadDim} of a key per head", "1 up to as many");
        Require(problems, KvRank == 0 ? SharedDim == 0 && QueryRank == 0 : KvRank >= 1 && QueryRank >= 0 && SharedDim >= 1 && SharedDim < HeadDim && SharedDim % 2 == 0 && KvHeads == QueryHeads && !QkNorm && Family == ModelFamily.DecoderOnly,
            $"latent rank {KvRank}, query rank {QueryRank}, {SharedDim} shared of {HeadDim} features, heads {QueryHeads}/{KvHeads}", "a rank with an even part of the features shared by as many kv as query heads of a decoder-only model, or 0 of all");
        Require(problems, Vision is null || (Family == ModelFamily.DecoderOnly && Vision.Family == ModelFamily.EncoderOnly && Vision.Front is not null && VisionLayersUsed >= 1 && VisionLayersUsed <= Vision.EncoderLayers),
            $"an encoder of pictures with {VisionLayersUsed} layers in use before a {Family} model", "an encoder-only model with a front, some of its layers in use, before a decoder-only model");
        Require(problems, Front is null || (Front.Features >= 1 && Front.Positions >= 2 && Family != ModelFamily.DecoderOnly && Positions == PositionKind.Learned),
            $"a front of {Front?.Features} features and {Front?.Positions} vectors with {Positions} positions before a {Family} model", "at least 1 and 2 with learned positions, before an encoder");
        Require(problems, !ParallelBlocks || NormPlacement == NormPlacement.Before, $"parallel blocks with normalization {NormPlacement}", "normalization before them");
        bool encoder = Family != ModelFamily.DecoderOnly;
        bool decoder = Family != ModelFamily.EncoderOnly;
        Require(problems, encoder == EncoderLayers >= 1 && decoder == DecoderLayers >= 1 && EncoderLayers >= 0 && DecoderLayers >= 0,
            $"{EncoderLayers} encoder and {DecoderLayers} decoder layers", $"those of an {Family} model");
        Require(problems, Activation is not (ElementwiseFunction.Add or ElementwiseFunction.Multiply), $"{Activation} as the activation", "a function of one value, or a gated one");
        if (problems.Count == 0 && !Countable())
        {
            problems.Add("found sizes whose parameters exceed 64 bits, expected a model that can exist");
        }

        return problems.ToImmutable();
    }

    private static void Require(ImmutableArray<string>.Builder problems, bool holds, FormattableString found, string expected)
    {
        if (!holds)
        {
            problems.Add($"found {FormattableString.Invariant(found)}, expected {expected}");
        }
    }

    private bool Countable()
    {
        try
        {
            return Parameters > 0 && TrainedParameters > 0;
        }
        catch (OverflowException)
        {
            return false;
        }
    }
}
