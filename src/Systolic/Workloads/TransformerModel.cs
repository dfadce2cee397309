namespace Systolic.Workloads;

/// <summary>Workloads of a whole transformer: embeddings, layers, head.</summary>
public static class TransformerModel
{
    /// <summary>All tokens of a prompt at once.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="tokens">Tokens per sequence.</param>
    /// <param name="layers">Layers of each stack to build; all when null.</param>
    public static OperatorGraph Prefill(ModelShape shape, long batch, long tokens, long? layers = null) => throw new NotSupportedException();

    /// <summary>One new token per sequence after <paramref name="context"/> cached ones.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="context">Tokens per sequence that are cached already.</param>
    /// <param name="layers">Layers of each stack to build; all when null.</param>
    public static OperatorGraph Decode(ModelShape shape, long batch, long context, long? layers = null) => throw new NotSupportedException();

    /// <summary>Forward, loss, backward and optimizer step.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="tokens">Tokens per sequence.</param>
    /// <param name="layers">Layers of each stack to build; all when null.</param>
    /// <param name="recompute">Keep only each layer's input and run its forward pass again before its backward pass.</param>
    public static OperatorGraph Training(ModelShape shape, long batch, long tokens, long? layers = null, bool recompute = false) => throw new NotSupportedException();
}
