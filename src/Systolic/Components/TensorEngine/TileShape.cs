using System.Globalization;

namespace Systolic.Components;

/// <summary>The extents of a product O = A x B: M output rows, K contraction, N output columns.</summary>
public readonly record struct TileShape
{
    /// <summary>A product of M x K by K x N.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An extent is not positive.</exception>
    public TileShape(int m, int k, int n)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(m);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(k);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(n);
        (M, K, N) = (m, k, n);
    }

    /// <summary>Output rows.</summary>
    public int M { get; }

    /// <summary>Contraction.</summary>
    public int K { get; }

    /// <summary>Output columns.</summary>
    public int N { get; }

    /// <summary>Multiply-accumulates: M x K x N.</summary>
    /// <exception cref="OverflowException">More than 2^63 - 1.</exception>
    public long Macs => checked((long)M * K * N);

    /// <summary>"MxKxN".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{M}x{K}x{N}");
}
