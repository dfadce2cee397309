namespace Systolic.Components;

/// <summary>A convolution as SCALE-Sim describes it: no padding, no dilation, no groups, one stride for both axes, batch of 1.</summary>
/// <param name="InputHeight">Rows of the input, padding included.</param>
/// <param name="InputWidth">Columns of the input.</param>
/// <param name="FilterHeight">Rows of a filter, at most those of the input.</param>
/// <param name="FilterWidth">Columns of a filter.</param>
/// <param name="Channels">Channels of input and filters.</param>
/// <param name="Filters">Filters, the channels of the output.</param>
/// <param name="Stride">Step between windows, both axes.</param>
public sealed record ScaleSimConvolution(
    long InputHeight, long InputWidth, long FilterHeight, long FilterWidth, long Channels, long Filters, long Stride)
{
    /// <summary>Rows of the output, rounded up: where the stride does not divide evenly, the last window hangs over the edge.</summary>
    public long OutputHeight => Outputs(InputHeight, FilterHeight);

    /// <summary>Columns of the output, rounded up likewise.</summary>
    public long OutputWidth => Outputs(InputWidth, FilterWidth);

    /// <summary>Entries of the im2col matrix that are pixels; the others hang over the edge.</summary>
    internal long FilledEntries => checked(Filled(InputHeight, FilterHeight) * Filled(InputWidth, FilterWidth) * Channels);

    /// <summary>Pixels that some window touches.</summary>
    internal long TouchedPixels => checked(Touched(InputHeight, FilterHeight) * Touched(InputWidth, FilterWidth) * Channels);

    /// <summary>Every entry of the im2col matrix is a pixel of its own, so that it is an ordinary matrix.</summary>
    internal bool IsPlainMatrix => FilledEntries == TouchedPixels && FilledEntries == checked(OutputHeight * OutputWidth * FilterHeight * FilterWidth * Channels);

    private long Outputs(long input, long filter) => ((input - filter + Stride - 1) / Stride) + 1;

    // Only the last window of an axis can hang over: the one before it begins below input - filter.
    private long Filled(long input, long filter) => (Outputs(input, filter) * filter) - Overhang(input, filter);

    private long Touched(long input, long filter) => Stride >= filter ? Filled(input, filter) : Math.Min(input, ((Outputs(input, filter) - 1) * Stride) + filter);

    private long Overhang(long input, long filter) => Math.Min(filter, Math.Max(0, ((Outputs(input, filter) - 1) * Stride) + filter - input));
}
