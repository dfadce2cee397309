namespace Systolic.Simt;

/// <summary>The block of the score matrix that one CTA of a flash-attention kernel works on at a time.</summary>
/// <param name="Queries">Query rows.</param>
/// <param name="Keys">Key columns.</param>
/// <param name="WarpRows">Query rows of one warp; with mma.sync each warp reads all keys and values for them.</param>
/// <param name="Resident">CTAs per multiprocessor.</param>
/// <param name="Contexts">Independent sequences of matrix product and softmax in flight on a multiprocessor.</param>
/// <remarks>
/// FlashAttention-2 (Dao, arXiv 2307.08691) and FlashAttention-3 (Shah et al., arXiv 2407.08608), tiles recalled from their published sources.
/// Contexts are counted, not fitted: two warps per scheduler in FA2; two per consumer warpgroup in FA3 (ping-pong and the next QK in flight).
/// </remarks>
internal readonly record struct AttentionTile(int Queries, int Keys, int WarpRows, int Resident, int Contexts)
{
    private const int DecodeRows = 64;

    /// <summary>Forward over many queries.</summary>
    public static AttentionTile Forward(bool warpgroups, long headDim, bool causal) => (warpgroups, headDim) switch
    {
        (false, <= 64) => new(128, 128, 32, 2, 2),
        (false, <= 128) => new(128, 64, 32, 2, 2),
        (false, _) => new(128, 64, 16, 1, 2),
        (true, <= 64) => new(192, 128, 64, 1, 6),
        (true, <= 128) => new(128, causal ? 128 : 176, 64, 1, 4),
        (true, <= 192) => new(128, 112, 64, 1, 4),
        _ => new(128, 80, 64, 1, 4),
    };

    /// <summary>Forward over few queries: those of all heads that share keys are packed into one block of 64 rows.</summary>
    public static AttentionTile Decode(bool warpgroups) => new(DecodeRows, 128, warpgroups ? 64 : 16, 1, 2);

    /// <summary>Backward: a CTA keeps a block of keys and loops over queries.</summary>
    public static AttentionTile Backward(bool warpgroups, long headDim, bool causal) => (warpgroups, headDim) switch
    {
        (_, <= 64) => new(128, 128, 32, 1, 2),
        (false, <= 128) => new(64, 128, 32, 1, 2),
        (true, <= 128) => new(causal ? 64 : 80, 128, 64, 1, 2),
        (true, _) => new(64, 80, 64, 1, 2),
        _ => new(64, 64, 32, 1, 2),
    };

    /// <summary>The queries of one key/value head fit one decode block.</summary>
    public static bool IsDecode(long queryTokens, long headsPerKv) => queryTokens * headsPerKv <= DecodeRows;
}
