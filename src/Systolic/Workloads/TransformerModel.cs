namespace Systolic.Workloads;

/// <summary>Workloads of a whole transformer: embeddings, layers, head.</summary>
/// <remarks>Identical layers are one section that repeats. What holds for <see cref="TransformerLayer"/> holds here.</remarks>
public static class TransformerModel
{
    /// <summary>All tokens of a prompt at once; the head computes the logits of each sequence's last token only, as serving does.</summary>
    /// <remarks>Of an encoder-only model the head is its pooler, on each sequence's first token.</remarks>
    /// <param name="shape">The model.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="tokens">Tokens per sequence.</param>
    /// <param name="layers">Layers of each stack to build; all when null.</param>
    /// <exception cref="ArgumentException">The shape cannot exist, a count is not positive or exceeds the model's.</exception>
    /// <exception cref="OverflowException">The work or the traffic exceeds 64 bits.</exception>
    public static OperatorGraph Prefill(ModelShape shape, long batch, long tokens, long? layers = null) =>
        TransformerGraph.Prefill(shape, batch, tokens, true, layers);

    /// <summary>One new token per sequence after <paramref name="context"/> cached ones.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="context">Tokens per sequence that are cached already.</param>
    /// <param name="layers">Layers of each stack to build; all when null.</param>
    /// <exception cref="ArgumentException">The shape cannot exist, a count is not positive or exceeds the model's, or the model is encoder-only.</exception>
    /// <exception cref="OverflowException">The work or the traffic exceeds 64 bits.</exception>
    public static OperatorGraph Decode(ModelShape shape, long batch, long context, long? layers = null) =>
        TransformerGraph.Decode(shape, batch, context, true, layers);

    /// <summary>Forward, loss, backward and an AdamW step over all parameters of the layers built, of embeddings and of the head; logits of all tokens.</summary>
    /// <remarks>An encoder-only model is trained with its masked-language-model head, on all tokens, and without its pooler.</remarks>
    /// <param name="shape">The model.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="tokens">Tokens per sequence.</param>
    /// <param name="layers">Layers of each stack to build; all when null.</param>
    /// <param name="options">Recomputation, micro-batches, adapters; the defaults when null.</param>
    /// <exception cref="ArgumentException">The shape cannot exist, a count is not positive or exceeds the model's.</exception>
    /// <exception cref="OverflowException">The work or the traffic exceeds 64 bits.</exception>
    public static OperatorGraph Training(ModelShape shape, long batch, long tokens, long? layers = null, TrainingOptions? options = null) =>
        TransformerGraph.Training(shape, batch, tokens, options, true, layers);
}
