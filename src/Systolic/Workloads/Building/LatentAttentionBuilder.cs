namespace Systolic.Workloads;

/// <summary>Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1): keys and values are projected from a latent vector per token, which the cache holds with one rotated key for all heads.</summary>
/// <remarks>
/// Many tokens: keys and values are projected per head. Decoding: the projection of keys is applied to the queries and that of values to the result, so that attention reads the
/// latent vectors themselves, as keys of one head and as values. The parts of a published matrix that need different treatment (rotated or not, keys or values) are products of their own.
/// </remarks>
/// <param name="shape">The model.</param>
/// <param name="span">The tokens.</param>
/// <param name="operators">Where the operators go.</param>
/// <param name="name">The block's name with its slash.</param>
internal sealed class LatentAttentionBuilder(ModelShape shape, TokenSpan span, OperatorList operators, string name)
{
    private readonly long _rows = span.Rows;
    private readonly long _own = shape.HeadDim - shape.SharedDim;
    private readonly Split _heads = Splits.Queries(shape);

    /// <summary>The block on <paramref name="input"/>.</summary>
    public string Build(string input)
    {
        string queries = shape.QueryRank == 0 ? input : operators.Normalize(
            name + "q_a_norm", NormFunction.Rms, _rows, shape.QueryRank, Projected("q_a_proj", input, shape.Hidden, shape.QueryRank, Splits.Rows(_rows)));
        long width = shape.QueryRank == 0 ? shape.Hidden : shape.QueryRank;
        string q = Projected("q_proj", queries, width, checked(shape.QueryHeads * _own), _heads);
        long rotated = checked(shape.QueryHeads * shape.SharedDim);
        string qShared = operators.Rotate(name + "q_rope", _rows, rotated, shape.SharedDim, Projected("q_rope_proj", queries, width, rotated, _heads), _heads);
        string latent = operators.Normalize(
            name + "kv_a_norm", NormFunction.Rms, _rows, shape.KvRank, Projected("kv_a_proj", input, shape.Hidden, shape.KvRank, Splits.Rows(_rows)));
        string kShared = operators.Rotate(
            name + "k_rope", _rows, shape.SharedDim, shape.SharedDim, Projected("k_rope_proj", input, shape.Hidden, shape.SharedDim, Splits.Rows(_rows)), Splits.Rows(_rows));
        string context = span.Cache == CacheUse.Read ? Decode(q, qShared, Append(latent, kShared)) : Prefill(q, qShared, latent, kShared);
        return operators.Project(new MatMul(name + "o_proj", _rows, checked(shape.QueryHeads * shape.ValueDim), shape.Hidden) { Split = Splits.Contraction(shape.QueryHeads) }, context);
    }

    private string Prefill(string q, string qShared, string latent, string kShared)
    {
        if (span.Cache == CacheUse.Store)
        {
            Append(latent, kShared);
        }

        string k = Projected("k_b_proj", latent, shape.KvRank, checked(shape.QueryHeads * _own), _heads);
        string v = Projected("v_b_proj", latent, shape.KvRank, checked(shape.QueryHeads * shape.ValueDim), _heads);
        return Attend(new Attention(name + "attention", span.Batch, shape.QueryHeads, shape.KvHeads, span.New, span.Keys, shape.HeadDim, Causal: span.New > 1) { ValueDim = shape.ValueDim }, [q, k, v, qShared, kShared]);
    }

    private string Decode(string q, string qShared, (Operand Latent, Operand Shared) cache)
    {
        string absorbed = operators.Project(new MatMul(name + "q_absorb", _rows, _own, shape.KvRank, shape.QueryHeads) { Split = _heads }, q, name + "k_b_proj");
        string context = Attend(
            new Attention(name + "attention", span.Batch, shape.QueryHeads, 1, span.New, span.Keys, shape.KvRank + shape.SharedDim, Causal: false) { ValueDim = shape.KvRank, ValuesInKeys = true },
            [absorbed, cache.Latent, qShared, cache.Shared]);
        return operators.Project(new MatMul(name + "v_absorb", _rows, shape.KvRank, shape.ValueDim, shape.QueryHeads) { Split = _heads }, context, name + "v_b_proj");
    }

    private string Attend(Attention attention, Operand[] inputs) => operators.Append(attention with
    {
        SharedDim = shape.SharedDim,
        SoftCap = shape.ScoreCap,
        Inputs = [.. inputs],
        Outputs = [attention.Name],
        Split = _heads,
    });

    private (Operand Latent, Operand Shared) Append(string latent, string shared)
    {
        (Operand latents, Operand keys) = (new Operand(name + "latent_cache", TensorRole.KvCache), new Operand(name + "k_cache", TensorRole.KvCache));
        operators.Append(new KvAppend(name + "kv_append", _rows, shape.KvRank)
        {
            ValueColumns = shape.SharedDim,
            Inputs = [latent, shared],
            Outputs = [latents, keys],
            Split = Splits.Rows(_rows),
        });
        return (latents, keys);
    }

    private string Projected(string part, string input, long inputs, long outputs, Split split) => operators.Project(new MatMul(name + part, _rows, inputs, outputs) { Split = split }, input);
}
