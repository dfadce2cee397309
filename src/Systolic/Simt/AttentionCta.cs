using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>A CTA of flash attention that goes through blocks of the operand that it does not keep, as the tensor cores of a machine want it written.</summary>
internal abstract class AttentionCta
{
    private readonly bool _warpgroups;

    protected AttentionCta(SimtSpec spec, MatrixRate rate, Attention op, AttentionTile tile)
    {
        (Op, Tile, ElementBytes, Head, Value) = (op, tile, op.Type.ByteSize(), (int)op.HeadDim, (int)op.ValueDim);
        Code = new WarpCode(spec, rate, ElementBytes);
        _warpgroups = AttentionTile.Warpgroups(spec, rate);
    }

    protected Attention Op { get; }

    protected AttentionTile Tile { get; }

    protected WarpCode Code { get; }

    protected int ElementBytes { get; }

    /// <summary>Features of queries and keys.</summary>
    protected int Head { get; }

    /// <summary>Features of values.</summary>
    protected int Value { get; }

    /// <summary>The CTA of <paramref name="op"/> that goes through <paramref name="blocks"/> blocks, the first <paramref name="masked"/> of them on the diagonal.</summary>
    public static CtaProgram Of(SimtSpec spec, MatrixRate rate, Attention op, AttentionTile tile, int blocks, int masked)
    {
        AttentionCta cta = op.Backward ? new AttentionGradientProgram(spec, rate, op, tile) : new AttentionProgram(spec, rate, op, tile);
        masked = Math.Min(masked, blocks);
        return cta._warpgroups ? cta.Warpgroups(blocks, masked) : cta.Synchronous(blocks, masked);
    }

    /// <summary>For tensor cores that read registers.</summary>
    protected abstract CtaProgram Synchronous(int blocks, int masked);

    /// <summary>For tensor cores that read shared memory.</summary>
    protected abstract CtaProgram Warpgroups(int blocks, int masked);
}
