namespace Systolic.Workloads;

/// <summary>Workloads of one transformer layer; of an encoder-decoder, one layer of each stack.</summary>
public static class TransformerLayer
{
    /// <summary>All tokens of a prompt at once.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="tokens">Tokens per sequence.</param>
    public static OperatorGraph Prefill(ModelShape shape, long batch, long tokens) => throw new NotSupportedException();

    /// <summary>One new token per sequence after <paramref name="context"/> cached ones.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="context">Tokens per sequence that are cached already.</param>
    public static OperatorGraph Decode(ModelShape shape, long batch, long context) => throw new NotSupportedException();

    /// <summary>Forward, backward and optimizer step.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="tokens">Tokens per sequence.</param>
    /// <param name="recompute">Keep only the layer's input and run its forward pass again before the backward pass.</param>
    public static OperatorGraph Training(ModelShape shape, long batch, long tokens, bool recompute = false) => throw new NotSupportedException();
}
