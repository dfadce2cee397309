namespace Systolic.Components;

/// <summary>A layer as the array sees it: M x K (ifmap) times K x N (filter).</summary>
public sealed record ScaleSimLayer
{
    private ScaleSimLayer(string name, long m, long k, long n) => (Name, M, K, N) = (name, m, k, n);

    /// <summary>The layer's name.</summary>
    public string Name { get; }

    /// <summary>Output rows; of a convolution its output pixels.</summary>
    public long M { get; }

    /// <summary>Contraction; of a convolution the size of a window.</summary>
    public long K { get; }

    /// <summary>Output columns; of a convolution its filters.</summary>
    public long N { get; }

    /// <summary>The convolution that M, K and N come from by im2col; null for a matrix product.</summary>
    public ScaleSimConvolution? Convolution { get; private init; }

    /// <summary>A matrix product.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is less than 1.</exception>
    public static ScaleSimLayer Gemm(string name, long m, long k, long n)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(m, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        return new ScaleSimLayer(name, m, k, n);
    }

    /// <summary>A convolution.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is less than 1, or the filter exceeds the input.</exception>
    public static ScaleSimLayer Conv(string name, ScaleSimConvolution convolution)
    {
        ArgumentNullException.ThrowIfNull(convolution);
        foreach (long size in (ReadOnlySpan<long>)[convolution.FilterHeight, convolution.FilterWidth, convolution.Channels, convolution.Filters, convolution.Stride])
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(size, 1, nameof(convolution));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(convolution.InputHeight, convolution.FilterHeight, nameof(convolution));
        ArgumentOutOfRangeException.ThrowIfLessThan(convolution.InputWidth, convolution.FilterWidth, nameof(convolution));
        return new ScaleSimLayer(
            name,
            convolution.OutputHeight * convolution.OutputWidth,
            convolution.FilterHeight * convolution.FilterWidth * convolution.Channels,
            convolution.Filters)
        {
            Convolution = convolution,
        };
    }
}
