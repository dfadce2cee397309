namespace Systolic.Workloads;

/// <summary>Attention over heads with projections of their own.</summary>
/// <param name="stack">The stack of the layer.</param>
/// <param name="span">The tokens.</param>
/// <param name="operators">Where the operators go.</param>
/// <param name="name">The block's name with its slash.</param>
/// <param name="window">Keys that a query sees; null when all before it.</param>
internal sealed class AttentionBuilder(Stack stack, TokenSpan span, OperatorList operators, string name, long? window)
{
    private readonly ModelShape _shape = stack.Shape;
    private readonly long _rows = span.Rows;

    /// <summary>Queries, keys and values of the same tokens. Decoding within a window, the cache holds no more than the window.</summary>
    public string Self(string input)
    {
        string q = Rotated("q_rope", Normalized("q_norm", Query(input), _shape.QueryHeads, Splits.Queries(_shape)), _shape.QueryHeads, Splits.Queries(_shape));
        string k = Rotated("k_rope", Normalized("k_norm", Key(input, _rows), _shape.KvHeads, Splits.KeyValues(_shape)), _shape.KvHeads, Splits.KeyValues(_shape));
        string v = Value(input, _rows);
        bool causal = stack.Causal && span.New > 1;
        if (span.Cache == CacheUse.None)
        {
            return Attend(q, k, v, span.Keys, causal);
        }

        (Operand keys, Operand values) = Append(k, v, checked(span.Batch * Math.Min(span.New, window ?? span.New)));
        return span.Cache == CacheUse.Read
            ? Attend(q, keys, values, Math.Min(span.Keys, window ?? span.Keys), causal)
            : Attend(q, k, v, span.Keys, causal);
    }

    /// <summary>Queries of the tokens against keys and values of the encoder's output.</summary>
    public string Cross(string input)
    {
        string q = Query(input);
        if (span.Cache == CacheUse.Read)
        {
            return Attend(q, Cache("k_cache"), Cache("v_cache"), span.Source, causal: false);
        }

        string k = Key(Stack.Source, span.SourceRows);
        string v = Value(Stack.Source, span.SourceRows);
        if (span.Cache == CacheUse.Store)
        {
            Append(k, v, span.SourceRows);
        }

        return Attend(q, k, v, span.Source, causal: false);
    }

    private string Query(string input) => Projected("q_proj", input, _rows, _shape.QueryHeads, AttentionBiases.Query, Splits.Queries(_shape));

    private string Key(string input, long rows) => Projected("k_proj", input, rows, _shape.KvHeads, AttentionBiases.Key, Splits.KeyValues(_shape));

    private string Value(string input, long rows) => Projected("v_proj", input, rows, _shape.KvHeads, AttentionBiases.Value, Splits.KeyValues(_shape));

    private string Projected(string part, string input, long rows, long heads, AttentionBiases bias, Split split) =>
        operators.Project(new MatMul(name + part, rows, _shape.Hidden, Features(heads), Bias: _shape.AttentionBiases.HasFlag(bias)) { Split = split }, input);

    /// <summary>A head is a row of its own.</summary>
    private string Normalized(string part, string input, long heads, Split split) => _shape.QkNorm
        ? operators.Normalize(name + part, NormFunction.Rms, checked(_rows * heads), _shape.HeadDim, input, split: split)
        : input;

    private string Rotated(string part, string input, long heads, Split split) => _shape.Positions == PositionKind.Rotary
        ? operators.Rotate(name + part, _rows, Features(heads), _shape.HeadDim, input, split)
        : input;

    private (Operand Keys, Operand Values) Append(string k, string v, long rows)
    {
        (Operand keys, Operand values) = (Cache("k_cache"), Cache("v_cache"));
        operators.Append(new KvAppend(name + "kv_append", rows, Features(_shape.KvHeads))
        {
            Inputs = [k, v],
            Outputs = [keys, values],
            Split = Splits.KeyValues(_shape),
        });
        return (keys, values);
    }

    private string Attend(string q, Operand k, Operand v, long keys, bool causal)
    {
        string context = operators.Append(new Attention(name + "attention", span.Batch, _shape.QueryHeads, _shape.KvHeads, span.New, keys, _shape.HeadDim, causal)
        {
            Window = causal ? window : null,
            SoftCap = _shape.ScoreCap,
            Inputs = [q, k, v],
            Outputs = [name + "attention"],
            Split = Splits.Queries(_shape),
        });
        return operators.Project(
            new MatMul(name + "o_proj", _rows, Features(_shape.QueryHeads), _shape.Hidden, Bias: _shape.AttentionBiases.HasFlag(AttentionBiases.Output)) { Split = Splits.Contraction(_shape.QueryHeads) }, context);
    }

    private long Features(long heads) => checked(heads * _shape.HeadDim);

    private Operand Cache(string part) => new(name + part, TensorRole.KvCache);
}
