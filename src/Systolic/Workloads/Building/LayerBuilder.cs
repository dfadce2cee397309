namespace Systolic.Workloads;

/// <summary>The operators of one layer, forward.</summary>
internal sealed class LayerBuilder
{
    private readonly ModelShape _shape;
    private readonly OperatorList _operators;
    private readonly string _layer;
    private readonly long _rows;

    private LayerBuilder(Stack stack, LayerKind kind, TokenSpan span) =>
        (_shape, _operators, _layer, _rows) = (stack.Shape, new OperatorList(stack.Shape.Type), $"{stack.Prefix}{kind.Name(stack.Shape)}/", span.Rows);

    /// <summary>The layer, from the residual stream to the residual stream.</summary>
    public static GraphSection Build(Stack stack, LayerKind kind, TokenSpan span, long repeat)
    {
        var builder = new LayerBuilder(stack, kind, span);
        var feedForward = new FeedForwardBuilder(builder._shape, builder._operators, builder._layer, builder._rows, kind.Sparse);
        Func<string, string> attention = stack.Shape.KvRank > 0
            ? new LatentAttentionBuilder(stack.Shape, span, builder._operators, builder._layer + "attn/").Build
            : new AttentionBuilder(stack, span, builder._operators, builder._layer + "attn/", kind.Window(stack.Shape, span.Keys)).Self;
        if (stack.Shape.ParallelBlocks)
        {
            builder.Parallel(stack.Hidden, attention, feedForward.Build);
        }
        else
        {
            string stream = builder.Residual("attn", stack.Hidden, null, attention);
            if (stack.Crosses)
            {
                stream = builder.Residual("cross", stream, null, new AttentionBuilder(stack, span, builder._operators, builder._layer + "cross/", null).Cross);
            }

            builder.Residual("mlp", stream, stack.Hidden, feedForward.Build);
        }

        return new GraphSection(builder._layer.TrimEnd('/'), repeat, builder._operators.Operators);
    }

    /// <summary>x + block(norm(x)), or norm(x + block(x)), or x + norm(block(norm(x))).</summary>
    private string Residual(string name, string input, string? output, Func<string, string> block)
    {
        string norm = $"{_layer}{name}_norm";
        string sum = $"{_layer}{name}_residual";
        if (_shape.NormPlacement == NormPlacement.After)
        {
            return Normalize(norm, _operators.Sum(sum, _rows, _shape.Hidden, input, block(input)), output);
        }

        string result = block(Normalize(norm, input));
        result = _shape.NormPlacement == NormPlacement.Around ? Normalize($"{_layer}{name}_post_norm", result) : result;
        return _operators.Sum(sum, _rows, _shape.Hidden, input, result, output);
    }

    /// <summary>x + attention(norm(x)) + feed-forward(norm(x)).</summary>
    private void Parallel(string input, Func<string, string> attention, Func<string, string> feedForward)
    {
        string normed = Normalize(_layer + "attn_norm", input);
        string attended = _operators.Sum(_layer + "attn_residual", _rows, _shape.Hidden, input, attention(normed));
        string fed = feedForward(_shape.SharedNorm ? normed : Normalize(_layer + "mlp_norm", input));
        _operators.Sum(_layer + "mlp_residual", _rows, _shape.Hidden, attended, fed, input);
    }

    private string Normalize(string name, string input, string? output = null) => _operators.Normalize(name, _shape.Norm, _rows, _shape.Hidden, input, output);
}
