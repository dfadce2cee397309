using Systolic.Units;

namespace Systolic.Simt;

/// <summary>The block of the score matrix that one CTA of a flash-attention kernel works on at a time.</summary>
/// <param name="Queries">Query rows.</param>
/// <param name="Keys">Key columns.</param>
/// <param name="WarpRows">Query rows of one warp; with mma.sync each warp reads all keys and values for them.</param>
/// <param name="Resident">CTAs per multiprocessor.</param>
/// <param name="Ahead">Whether a warpgroup queues the next scores before the softmax of these, in turns with the others.</param>
/// <remarks>FlashAttention-2 (Dao, arXiv 2307.08691) and FlashAttention-3 (Shah et al., arXiv 2407.08608), tiles recalled from their published sources.</remarks>
internal readonly record struct AttentionTile(int Queries, int Keys, int WarpRows, int Resident, bool Ahead = false)
{
    private const int DecodeRows = 64;

    /// <summary>Blocks of each streamed operand that shared memory holds where a producer warp fetches them.</summary>
    public const int Stages = 2;

    /// <summary>The kernel is of the Hopper kind.</summary>
    public static bool Warpgroups(SimtSpec spec, MatrixRate rate) => rate.OnTensorCores && spec.TensorCores.Instruction == MatrixInstruction.Wgmma;

    /// <summary>Forward over many queries. Of heads of 256, two small CTAs where both fit.</summary>
    /// <param name="warpgroups">Whether tensor cores read shared memory.</param>
    /// <param name="headDim">Features of a head.</param>
    /// <param name="causal">Whether there is a diagonal.</param>
    /// <param name="shared">Shared memory of a multiprocessor.</param>
    public static AttentionTile Forward(bool warpgroups, long headDim, bool causal, Bytes shared) => (warpgroups, headDim) switch
    {
        (false, <= 64) => new(128, 128, 32, 2),
        (false, <= 128) => new(128, 64, 32, 2),
        (false, _) => shared.Value >= 2 * (64 + (2 * 64)) * headDim * 2 ? new(64, 64, 16, 2) : new(128, 64, 16, 1),
        (true, <= 64) => new(192, 128, 64, 1, Ahead: true),
        (true, <= 128) => new(128, causal ? 128 : 176, 64, 1, Ahead: true),
        (true, <= 192) => new(128, 112, 64, 1, Ahead: true),
        _ => new(128, 80, 64, 1, Ahead: true),
    };

    /// <summary>Forward over few queries: those of all heads that share keys are packed into one block of 64 rows.</summary>
    public static AttentionTile Decode(bool warpgroups) => new(DecodeRows, 128, warpgroups ? 64 : 16, 1);

    /// <summary>Backward: a CTA keeps a block of keys and loops over queries.</summary>
    public static AttentionTile Backward(bool warpgroups, long headDim, bool causal) => (warpgroups, headDim) switch
    {
        (_, <= 64) => new(128, 128, 32, 1),
        (false, <= 128) => new(64, 128, 32, 1),
        (true, <= 128) => new(causal ? 64 : 80, 128, 64, 1),
        (true, _) => new(64, 80, 64, 1),
        _ => new(64, 64, 32, 1),
    };

    /// <summary>The queries of one key/value head fit one decode block.</summary>
    public static bool IsDecode(long queryTokens, long headsPerKv) => queryTokens * headsPerKv <= DecodeRows;
}
