namespace Systolic.Workloads;

/// <content>Parameter counts.</content>
public sealed partial record ModelShape
{
    /// <summary>Trained parameters of the published model; an encoder-only model has its pooler and no language-model head.</summary>
    /// <exception cref="OverflowException">The count exceeds 64 bits.</exception>
    public long Parameters => checked(StackParameters + PoolerParameters);

    /// <summary>Parameters that a training step updates: the pooler of an encoder-only model gives way to its masked-language-model head.</summary>
    internal long TrainedParameters => checked(StackParameters + MaskedHeadParameters);

    /// <summary>Parameters of one layer of the bidirectional stack, or of a decoder-only model.</summary>
    internal long PlainLayerParameters => checked(AttentionParameters + FeedForwardParameters + (2 * NormParameters));

    /// <summary>Parameters of one layer of the causal stack, cross-attention included where there is an encoder.</summary>
    internal long DecoderLayerParameters => Family == ModelFamily.EncoderDecoder
        ? checked(PlainLayerParameters + AttentionParameters + NormParameters)
        : PlainLayerParameters;

    /// <summary>Parameters of all layers, relative biases not included.</summary>
    internal long AllLayerParameters => checked((EncoderLayers * PlainLayerParameters) + (DecoderLayers * DecoderLayerParameters));

    private long StackParameters => checked(EmbeddingParameters + AllLayerParameters + RelativeBiasParameters + FinalNormParameters + HeadParameters);

    private int Stacks => Family == ModelFamily.EncoderDecoder ? 2 : 1;

    private long NormParameters => checked(Hidden * (Norm == NormFunction.Rms ? 1 : 2));

    private long AttentionParameters
    {
        get
        {
            long query = checked(QueryHeads * HeadDim);
            long kv = checked(KvHeads * HeadDim);
            return checked((2 * Hidden * (query + kv)) + (AttentionBias ? query + (2 * kv) + Hidden : 0));
        }
    }

    private long FeedForwardParameters
    {
        get
        {
            int inputs = Gated ? 2 : 1;
            long block = checked(((inputs + 1) * Hidden * Intermediate) + (MlpBias ? (inputs * Intermediate) + Hidden : 0));
            return Experts == 0 ? block : checked((Experts * block) + (Hidden * Experts));
        }
    }

    private long EmbeddingParameters => checked((Hidden * (Vocabulary + TokenTypes + (Positions == PositionKind.Learned ? MaxPositions : 0)))
        + (PostNorm ? NormParameters : 0));

    private long RelativeBiasParameters => checked(Stacks * RelativeBuckets * QueryHeads);

    private long FinalNormParameters => PostNorm ? 0 : checked(Stacks * NormParameters);

    private long HeadParameters => TiedEmbeddings || Family == ModelFamily.EncoderOnly ? 0 : checked(Hidden * Vocabulary);

    private long PoolerParameters => Family == ModelFamily.EncoderOnly ? checked(Hidden * (Hidden + 1)) : 0;

    /// <summary>Dense layer and normalization, the tied table's bias, and the table itself when it is not tied.</summary>
    private long MaskedHeadParameters => Family == ModelFamily.EncoderOnly
        ? checked((Hidden * (Hidden + 1)) + NormParameters + Vocabulary + (TiedEmbeddings ? 0 : Hidden * Vocabulary))
        : 0;
}
