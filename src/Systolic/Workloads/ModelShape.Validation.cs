using System.Collections.Immutable;

namespace Systolic.Workloads;

/// <content>Checks.</content>
public sealed partial record ModelShape
{
    /// <summary>What makes this shape impossible, each as "found ..., expected ..."; empty when it can exist.</summary>
    internal ImmutableArray<string> Problems()
    {
        var problems = ImmutableArray.CreateBuilder<string>();
        Require(problems, Hidden >= 1 && QueryHeads >= 1 && KvHeads >= 1 && HeadDim >= 1 && Intermediate >= 1 && Vocabulary >= 1 && MaxPositions >= 1,
            $"hidden {Hidden}, query heads {QueryHeads}, kv heads {KvHeads}, head dimension {HeadDim}, intermediate {Intermediate}, vocabulary {Vocabulary}, positions {MaxPositions}",
            "each at least 1");
        Require(problems, KvHeads < 1 || QueryHeads % KvHeads == 0, $"{QueryHeads} query heads over {KvHeads} kv heads", "a multiple");
        Require(problems, HeadDim < 1 || Positions != PositionKind.Rotary || HeadDim % 2 == 0, $"rotary positions with head dimension {HeadDim}", "an even one");
        Require(problems, TokenTypes >= 0 && RelativeBuckets >= 0, $"{TokenTypes} token types and {RelativeBuckets} relative buckets", "none negative");
        Require(problems, Experts == 0 ? ExpertsPerToken == 0 : ExpertsPerToken >= 1 && ExpertsPerToken <= Experts, $"{ExpertsPerToken} of {Experts} experts per token", "1 up to all, or 0 of 0");
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
