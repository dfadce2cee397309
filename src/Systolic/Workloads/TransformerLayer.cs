namespace Systolic.Workloads;

/// <summary>Workloads of one transformer layer; of an encoder-decoder, one layer of each stack. An encoder of pictures is left out.</summary>
/// <remarks>
/// Sections hand each other the residual stream "hidden" and its gradient "hidden.grad"; both enter the graph from outside.
/// Relative position biases (T5) cost nothing here: they are added within the scores. A stack with layers of several kinds (windows, experts) has one of each.
/// </remarks>
public static class TransformerLayer
{
    /// <summary>All tokens of a prompt at once; a decoder stores its keys and values.</summary>
    /// <remarks>An encoder-decoder reads the tokens with its encoder layer; its decoder layer runs on one start token per sequence.</remarks>
    /// <param name="shape">The model.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="tokens">Tokens per sequence.</param>
    /// <exception cref="ArgumentException">The shape cannot exist, a count is not positive.</exception>
    /// <exception cref="OverflowException">The work or the traffic exceeds 64 bits.</exception>
    public static OperatorGraph Prefill(ModelShape shape, long batch, long tokens) =>
        TransformerGraph.Prefill(shape, batch, tokens, false, null);

    /// <summary>One new token per sequence after <paramref name="context"/> cached ones.</summary>
    /// <remarks>Attention reads context + 1 keys, the new token's own included. Of an encoder-decoder: the decoder layer, whose cross-attention reads context cached source tokens.</remarks>
    /// <param name="shape">The model.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="context">Tokens per sequence that are cached already.</param>
    /// <exception cref="ArgumentException">The shape cannot exist, a count is not positive, or the model is encoder-only.</exception>
    /// <exception cref="OverflowException">The work or the traffic exceeds 64 bits.</exception>
    public static OperatorGraph Decode(ModelShape shape, long batch, long context) =>
        TransformerGraph.Decode(shape, batch, context, false, null);

    /// <summary>Forward, backward and optimizer step.</summary>
    /// <remarks>Backward products are twice the forward ones. An encoder-decoder has as many target as source tokens.</remarks>
    /// <param name="shape">The model.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="tokens">Tokens per sequence.</param>
    /// <param name="options">Recomputation, micro-batches, adapters; the defaults when null.</param>
    /// <exception cref="ArgumentException">The shape cannot exist, a count is not positive.</exception>
    /// <exception cref="OverflowException">The work or the traffic exceeds 64 bits.</exception>
    public static OperatorGraph Training(ModelShape shape, long batch, long tokens, TrainingOptions? options = null) =>
        TransformerGraph.Training(shape, batch, tokens, options, false, null);
}
