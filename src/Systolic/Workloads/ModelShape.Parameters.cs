namespace Systolic.Workloads;

/// <content>Parameter counts.</content>
public sealed partial record ModelShape
{
    /// <summary>Trained parameters of the published model; an encoder-only model of text has its pooler and no language-model head. Layers for later tokens are not counted.</summary>
    /// <exception cref="OverflowException">The count exceeds 64 bits.</exception>
    public long Parameters => checked(StackParameters + PoolerParameters + RouterBiasParameters + (Vision?.StackParameters ?? 0) + ProjectorParameters);

    /// <summary>Parameters of the layers that predict later tokens: each a layer, two normalizations, a projection of both inputs and a final normalization; table and head are the model's.</summary>
    public long PredictionParameters => checked(PredictionLayers * (LayerParameters(LayerKind.Of(this, DecoderLayers), false) + (2 * Hidden * Hidden) + (3 * NormParameters) + (RouterBias ? Experts : 0)));

    /// <summary>Parameters that a training step updates: the pooler of an encoder-only model of text gives way to its masked-language-model head; an encoder of pictures and the biases of routers stay as they are.</summary>
    internal long TrainedParameters => checked(StackParameters + MaskedHeadParameters + ProjectorParameters);

    /// <summary>Parameters in memory: those of the published model, or in training those of the head that is trained.</summary>
    internal long ParametersHeld(bool training) => training ? checked(Parameters - PoolerParameters + MaskedHeadParameters) : Parameters;

    /// <summary>Parameters of one layer, with cross-attention where it reads an encoder.</summary>
    internal long LayerParameters(LayerKind kind, bool crosses)
    {
        long norms = NormPlacement == NormPlacement.Around ? 4 : ParallelBlocks && SharedNorm ? 1 : 2;
        long cross = crosses ? checked(AttentionParameters + NormParameters) : 0;
        return checked(AttentionParameters + (kind.Sparse ? SparseParameters : BlockParameters(Experts > 0 ? DenseIntermediate : Intermediate)) + (norms * NormParameters) + cross);
    }

    /// <summary>Parameters of all layers, relative biases not included.</summary>
    internal long AllLayerParameters
    {
        get
        {
            long total = checked(EncoderLayers * LayerParameters(default, false));
            foreach ((LayerKind kind, long count) in LayerKind.Count(this, DecoderLayers))
            {
                total = checked(total + (count * LayerParameters(kind, Family == ModelFamily.EncoderDecoder)));
            }

            return total;
        }
    }

    /// <summary>Parameters of the products between the encoder of pictures and the decoder: two, with biases (LLaVA).</summary>
    internal long ProjectorParameters => Vision is null ? 0 : checked(((Vision.Hidden + 1) * Hidden) + ((Hidden + 1) * Hidden));

    /// <summary>Vectors of a picture that stand before the text.</summary>
    internal long VisionTokens => Vision?.Front is { } front ? front.RowsFor(front.Positions) : 0;

    private bool TextEncoder => Family == ModelFamily.EncoderOnly && Front is null;

    private long StackParameters => checked(EmbeddingParameters + AllLayerParameters + RelativeBiasParameters + FinalNormParameters + HeadParameters);

    private int Stacks => Family == ModelFamily.EncoderDecoder ? 2 : 1;

    private long NormParameters => checked(Hidden * (Norm == NormFunction.Rms ? 1 : 2));

    private long AttentionParameters
    {
        get
        {
            long query = checked(QueryHeads * HeadDim), key = checked(KvHeads * HeadDim), value = checked(KvHeads * ValueDim), result = checked(QueryHeads * ValueDim);
            long biases = checked(Biased(AttentionBiases.Query, query) + Biased(AttentionBiases.Key, key) + Biased(AttentionBiases.Value, value) + Biased(AttentionBiases.Output, Hidden));
            return KvRank > 0
                ? checked(LatentParameters(query) + (result * Hidden) + biases)
                : checked((Hidden * (query + key + value + result)) + biases + (QkNorm ? 2 * HeadDim : 0));
        }
    }

    private long LatentParameters(long query) => checked((QueryRank > 0 ? (QueryRank * (Hidden + query)) + QueryRank : Hidden * query)
        + (Hidden * (KvRank + SharedDim)) + KvRank + (KvRank * KvHeads * (HeadDim - SharedDim + ValueDim)));

    private long Biased(AttentionBiases which, long features) => AttentionBiases.HasFlag(which) ? features : 0;

    private long BlockParameters(long intermediate)
    {
        int inputs = Gated ? 2 : 1;
        return checked(((inputs + 1) * Hidden * intermediate) + (MlpBias ? (inputs * intermediate) + Hidden : 0));
    }

    private long SparseParameters => checked((Experts * BlockParameters(Intermediate)) + (Experts * Hidden) + (SharedIntermediate > 0 ? BlockParameters(SharedIntermediate) : 0));

    private long TokenFeatures => EmbeddingWidth > 0 ? EmbeddingWidth : Hidden;

    private bool EmbedsTokens => Front is null || Family == ModelFamily.EncoderDecoder;

    private long EmbeddingParameters
    {
        get
        {
            long text = EmbedsTokens ? checked((TokenFeatures * Vocabulary) + (Hidden * (TokenTypes + (Positions == PositionKind.Learned ? MaxPositions + UnusedPositions : 0)))) : 0;
            return checked(text + (EmbeddingWidth > 0 ? 2 * EmbeddingWidth * Hidden : 0) + (Front?.Parameters(Hidden) ?? 0) + (EmbeddingNorm ? NormParameters : 0));
        }
    }

    private long RelativeBiasParameters => checked(Stacks * RelativeBuckets * QueryHeads);

    private long FinalNormParameters => NormPlacement == NormPlacement.After ? 0 : checked(Stacks * NormParameters);

    /// <summary>The classes of pictures have a bias.</summary>
    private long HeadParameters => TiedEmbeddings || TextEncoder ? 0 : checked((TokenFeatures + (EmbedsTokens ? 0 : 1)) * Vocabulary);

    private long PoolerParameters => TextEncoder ? checked(Hidden * (Hidden + 1)) : 0;

    private long RouterBiasParameters => RouterBias ? checked(Experts * (DecoderLayers - DenseLayers)) : 0;

    /// <summary>Dense layer and normalization, the tied table's bias, and the table itself when it is not tied.</summary>
    private long MaskedHeadParameters => TextEncoder
        ? checked((Hidden * (Hidden + 1)) + NormParameters + Vocabulary + (TiedEmbeddings ? 0 : Hidden * Vocabulary))
        : 0;
}
