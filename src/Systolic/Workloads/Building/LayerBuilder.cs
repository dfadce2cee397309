namespace Systolic.Workloads;

/// <summary>The operators of one layer, forward.</summary>
/// <param name="stack">The stack it belongs to.</param>
/// <param name="span">The tokens.</param>
internal sealed class LayerBuilder(Stack stack, TokenSpan span)
{
    private readonly ModelShape _shape = stack.Shape;
    private readonly OperatorList _operators = new(stack.Shape.Type);
    private readonly string _layer = stack.Prefix + "layer/";
    private readonly long _rows = span.Rows;

    /// <summary>The layer, from the residual stream to the residual stream.</summary>
    public static GraphSection Build(Stack stack, TokenSpan span, long repeat)
    {
        var builder = new LayerBuilder(stack, span);
        string stream = builder.Residual("attn", stack.Hidden, null, builder.SelfAttention);
        if (stack.Crosses)
        {
            stream = builder.Residual("cross", stream, null, builder.CrossAttention);
        }

        builder.Residual("mlp", stream, stack.Hidden, new FeedForwardBuilder(builder._shape, builder._operators, builder._layer, builder._rows).Build);
        return new GraphSection(stack.Prefix + "layer", repeat, builder._operators.Operators);
    }

    /// <summary>x + block(norm(x)), or norm(x + block(x)).</summary>
    private string Residual(string name, string input, string? output, Func<string, string> block)
    {
        string norm = $"{_layer}{name}_norm";
        string sum = $"{_layer}{name}_residual";
        if (_shape.PostNorm)
        {
            string added = _operators.Sum(sum, _rows, _shape.Hidden, input, block(input));
            return _operators.Normalize(norm, _shape.Norm, _rows, _shape.Hidden, added, output);
        }

        string result = block(_operators.Normalize(norm, _shape.Norm, _rows, _shape.Hidden, input));
        return _operators.Sum(sum, _rows, _shape.Hidden, input, result, output);
    }

    private string SelfAttention(string input)
    {
        string name = _layer + "attn/";
        string q = Rotated(name + "q_rope", Query(name, input), _shape.QueryHeads, Splits.Queries(_shape));
        string k = Rotated(name + "k_rope", KeyOrValue(name + "k_proj", input, _rows), _shape.KvHeads, Splits.KeyValues(_shape));
        string v = KeyOrValue(name + "v_proj", input, _rows);
        bool causal = stack.Causal && span.New > 1;
        if (span.Cache == CacheUse.None)
        {
            return Attend(name, q, k, v, span.Keys, causal);
        }

        (Operand keys, Operand values) = Append(name, k, v, _rows);
        return span.Cache == CacheUse.Read
            ? Attend(name, q, keys, values, span.Keys, causal)
            : Attend(name, q, k, v, span.Keys, causal);
    }

    private string CrossAttention(string input)
    {
        string name = _layer + "cross/";
        string q = Query(name, input);
        if (span.Cache == CacheUse.Read)
        {
            return Attend(name, q, Cache(name + "k_cache"), Cache(name + "v_cache"), span.Source, causal: false);
        }

        string k = KeyOrValue(name + "k_proj", Stack.Source, span.SourceRows);
        string v = KeyOrValue(name + "v_proj", Stack.Source, span.SourceRows);
        if (span.Cache == CacheUse.Store)
        {
            Append(name, k, v, span.SourceRows);
        }

        return Attend(name, q, k, v, span.Source, causal: false);
    }

    private string Query(string name, string input) => _operators.Project(
        new MatMul(name + "q_proj", _rows, _shape.Hidden, Features(_shape.QueryHeads), Bias: _shape.AttentionBias) { Split = Splits.Queries(_shape) }, input);

    private string KeyOrValue(string name, string input, long rows) => _operators.Project(
        new MatMul(name, rows, _shape.Hidden, Features(_shape.KvHeads), Bias: _shape.AttentionBias) { Split = Splits.KeyValues(_shape) }, input);

    private string Rotated(string name, string input, long heads, Split split) => _shape.Positions != PositionKind.Rotary
        ? input
        : _operators.Append(new Rope(name, _rows, Features(heads), _shape.HeadDim)
        {
            Inputs = [input, new Operand("rope_table", TensorRole.Index)],
            Outputs = [name],
            Split = split,
        });

    private (Operand Keys, Operand Values) Append(string name, string k, string v, long rows)
    {
        (Operand keys, Operand values) = (Cache(name + "k_cache"), Cache(name + "v_cache"));
        _operators.Append(new KvAppend(name + "kv_append", rows, Features(_shape.KvHeads))
        {
            Inputs = [k, v],
            Outputs = [keys, values],
            Split = Splits.KeyValues(_shape),
        });
        return (keys, values);
    }

    private string Attend(string name, string q, Operand k, Operand v, long keys, bool causal)
    {
        string context = _operators.Append(new Attention(name + "attention", span.Batch, _shape.QueryHeads, _shape.KvHeads, span.New, keys, _shape.HeadDim, causal)
        {
            Inputs = [q, k, v],
            Outputs = [name + "attention"],
            Split = Splits.Queries(_shape),
        });
        return _operators.Project(
            new MatMul(name + "o_proj", _rows, Features(_shape.QueryHeads), _shape.Hidden, Bias: _shape.AttentionBias) { Split = Splits.Contraction(_shape.QueryHeads) }, context);
    }

    private long Features(long heads) => checked(heads * _shape.HeadDim);

    private static Operand Cache(string name) => new(name, TensorRole.KvCache);
}
