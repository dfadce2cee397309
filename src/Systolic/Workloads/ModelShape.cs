using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>Which stacks a transformer has.</summary>
public enum ModelFamily
{
    /// <summary>One causal stack that continues a text, such as GPT and Llama.</summary>
    DecoderOnly,

    /// <summary>One bidirectional stack that reads a text, such as BERT.</summary>
    EncoderOnly,

    /// <summary>A bidirectional stack read by a causal one through cross-attention, such as T5.</summary>
    EncoderDecoder,
}

/// <summary>Where a layer normalizes.</summary>
public enum NormPlacement
{
    /// <summary>In front of each block, and once behind the stack.</summary>
    Before,

    /// <summary>Behind each residual sum (BERT).</summary>
    After,

    /// <summary>In front of each block and behind it, inside the residual sum, and once behind the stack (Gemma 2).</summary>
    Around,
}

/// <summary>Projections of an attention that add a bias.</summary>
[Flags]
public enum AttentionBiases
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Queries.</summary>
    Query = 1,

    /// <summary>Keys.</summary>
    Key = 2,

    /// <summary>Values.</summary>
    Value = 4,

    /// <summary>The projection of the result.</summary>
    Output = 8,

    /// <summary>Every projection.</summary>
    All = Query | Key | Value | Output,
}

/// <summary>How a transformer knows the order of its tokens.</summary>
public enum PositionKind
{
    /// <summary>A learned vector per position, added to the embedding; limits the tokens of a sequence.</summary>
    Learned,

    /// <summary>Queries and keys are rotated (Su et al. 2021).</summary>
    Rotary,

    /// <summary>A learned bias per head and distance, added to the scores (Raffel et al. 2020).</summary>
    RelativeBias,
}

/// <summary>The sizes of a transformer, apart from its implementation: all that its parameters and its operators depend on.</summary>
/// <remarks>Read from a configuration by <see cref="ConfigReader"/> or <see cref="ModelPresets"/>, varied with <c>with</c>; checked again when a graph is built from it.</remarks>
public sealed partial record ModelShape
{
    /// <summary>The model's name in reports, such as "llama-3-8b".</summary>
    public required string Name { get; init; }

    /// <summary>Which stacks it has.</summary>
    public required ModelFamily Family { get; init; }

    /// <summary>Layers of the bidirectional stack; 0 without one.</summary>
    public long EncoderLayers { get; init; }

    /// <summary>Layers of the causal stack; 0 without one.</summary>
    public long DecoderLayers { get; init; }

    /// <summary>Layers of all stacks.</summary>
    public long Layers => checked(EncoderLayers + DecoderLayers);

    /// <summary>Features of the residual stream.</summary>
    public required long Hidden { get; init; }

    /// <summary>Query heads of an attention.</summary>
    public required long QueryHeads { get; init; }

    /// <summary>Key/value heads of an attention; fewer than the query heads under grouped-query attention.</summary>
    public required long KvHeads { get; init; }

    /// <summary>Features of a query and a key per head.</summary>
    public required long HeadDim { get; init; }

    /// <summary>Features of a value per head; as many as of a key unless given.</summary>
    public long ValueDim
    {
        get => field == 0 ? HeadDim : field;
        init;
    }

    /// <summary>Rank of the latent vector from which keys and values are projected (multi-head latent attention, DeepSeek-V2, arXiv 2405.04434); 0 without one.</summary>
    public long KvRank { get; init; }

    /// <summary>Rank of the latent vector from which queries are projected; 0 when they are projected at once.</summary>
    public long QueryRank { get; init; }

    /// <summary>Of the features per head, those that are rotated, in keys once for all heads (multi-head latent attention); 0 without it.</summary>
    public long SharedDim { get; init; }

    /// <summary>Queries and keys are normalized per head, with a gain per feature (Qwen 3).</summary>
    public bool QkNorm { get; init; }

    /// <summary>Bound of attention scores (Gemma 2, arXiv 2408.00118); none when null.</summary>
    public double? ScoreCap { get; init; }

    /// <summary>The logits are bounded by a hyperbolic tangent (Gemma 2).</summary>
    public bool CappedLogits { get; init; }

    /// <summary>Features inside the feed-forward block, or inside each expert.</summary>
    public required long Intermediate { get; init; }

    /// <summary>Token ids; classes, of a model of pictures (0 when it ends without them).</summary>
    public required long Vocabulary { get; init; }

    /// <summary>Positions of a sequence; a hard limit only when they are learned.</summary>
    public required long MaxPositions { get; init; }

    /// <summary>Normalization.</summary>
    public required NormFunction Norm { get; init; }

    /// <summary>Where it stands in a layer.</summary>
    public NormPlacement NormPlacement { get; init; }

    /// <summary>The embedding is normalized (BERT, CLIP).</summary>
    public bool EmbeddingNorm { get; init; }

    /// <summary>Attention and feed-forward block read the same stream and are added to it together (Falcon).</summary>
    public bool ParallelBlocks { get; init; }

    /// <summary>Parallel blocks share one normalization.</summary>
    public bool SharedNorm { get; init; }

    /// <summary>The function inside the feed-forward block; a gated one has a second input projection.</summary>
    public required ElementwiseFunction Activation { get; init; }

    /// <summary>The feed-forward block multiplies two projections.</summary>
    public bool Gated => Activation is ElementwiseFunction.GatedRelu or ElementwiseFunction.GatedGelu or ElementwiseFunction.GatedSilu;

    /// <summary>Projections of attention with biases.</summary>
    public AttentionBiases AttentionBiases { get; init; }

    /// <summary>The feed-forward projections have biases.</summary>
    public bool MlpBias { get; init; }

    /// <summary>The head multiplies by the embedding table instead of a matrix of its own.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>How order is known.</summary>
    public required PositionKind Positions { get; init; }

    /// <summary>Rows of the table of learned positions beyond <see cref="MaxPositions"/>, which no token selects (OPT: 2).</summary>
    public long UnusedPositions { get; init; }

    /// <summary>Features of an embedded token, when they are projected to the residual stream and back (OPT 350M); 0 when they are those of the stream.</summary>
    public long EmbeddingWidth { get; init; }

    /// <summary>What turns pictures or sound into the vectors that the first stack reads; null when it reads tokens.</summary>
    public InputFront? Front { get; init; }

    /// <summary>The encoder of pictures, whose vectors stand before the text's in every sequence (LLaVA, arXiv 2304.08485); null without one.</summary>
    public ModelShape? Vision { get; init; }

    /// <summary>Layers of <see cref="Vision"/> that run; the others are held and not used.</summary>
    public long VisionLayersUsed { get; init; }

    /// <summary>Rows of the table of segments added to the embedding (BERT); 0 without one.</summary>
    public long TokenTypes { get; init; }

    /// <summary>Distances told apart by a relative bias; 0 without one.</summary>
    public long RelativeBuckets { get; init; }

    /// <summary>Experts per layer; 0 for one dense block.</summary>
    public long Experts { get; init; }

    /// <summary>Features inside the block that every token visits beside its experts; 0 without one.</summary>
    public long SharedIntermediate { get; init; }

    /// <summary>Leading layers with a dense block instead of experts.</summary>
    public long DenseLayers { get; init; }

    /// <summary>Features inside the dense block of a model whose other layers have experts.</summary>
    public long DenseIntermediate { get; init; }

    /// <summary>The router adds a bias per expert to its choice, which is trained apart from the loss (DeepSeek-V3, arXiv 2412.19437).</summary>
    public bool RouterBias { get; init; }

    /// <summary>Further layers that predict later tokens (multi-token prediction, DeepSeek-V3); held apart and not run.</summary>
    public long PredictionLayers { get; init; }

    /// <summary>Experts that each token visits.</summary>
    public long ExpertsPerToken { get; init; }

    /// <summary>Keys that a query sees in layers with a sliding window, its own included; null without such layers.</summary>
    public long? SlidingWindow { get; init; }

    /// <summary>Leading layers without the window.</summary>
    public long FullLayers { get; init; }

    /// <summary>Every so many layers, one has no window; 0 when none is left out (Gemma 2: 2).</summary>
    public long FullEvery { get; init; }

    /// <summary>Element type of weights and activations.</summary>
    public DataType Type { get; init; } = DataType.Bf16;
}
