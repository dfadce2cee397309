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

    /// <summary>Features per head.</summary>
    public required long HeadDim { get; init; }

    /// <summary>Features inside the feed-forward block, or inside each expert.</summary>
    public required long Intermediate { get; init; }

    /// <summary>Token ids.</summary>
    public required long Vocabulary { get; init; }

    /// <summary>Positions of a sequence; a hard limit only when they are learned.</summary>
    public required long MaxPositions { get; init; }

    /// <summary>Normalization.</summary>
    public required NormFunction Norm { get; init; }

    /// <summary>Normalization follows each residual sum and the embedding (BERT), instead of preceding each block and ending the stack.</summary>
    public bool PostNorm { get; init; }

    /// <summary>The function inside the feed-forward block; a gated one has a second input projection.</summary>
    public required ElementwiseFunction Activation { get; init; }

    /// <summary>The feed-forward block multiplies two projections.</summary>
    public bool Gated => Activation is ElementwiseFunction.GatedRelu or ElementwiseFunction.GatedGelu or ElementwiseFunction.GatedSilu;

    /// <summary>The q, k, v and o projections have biases.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>The feed-forward projections have biases.</summary>
    public bool MlpBias { get; init; }

    /// <summary>The head multiplies by the embedding table instead of a matrix of its own.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>How order is known.</summary>
    public required PositionKind Positions { get; init; }

    /// <summary>Rows of the table of segments added to the embedding (BERT); 0 without one.</summary>
    public long TokenTypes { get; init; }

    /// <summary>Distances told apart by a relative bias; 0 without one.</summary>
    public long RelativeBuckets { get; init; }

    /// <summary>Experts per layer; 0 for one dense block.</summary>
    public long Experts { get; init; }

    /// <summary>Experts that each token visits.</summary>
    public long ExpertsPerToken { get; init; }

    /// <summary>Keys a query may look back on, when limited. Recorded only: attention is built over the whole context.</summary>
    public long? SlidingWindow { get; init; }

    /// <summary>Element type of weights and activations.</summary>
    public DataType Type { get; init; } = DataType.Bf16;
}
