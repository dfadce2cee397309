namespace Systolic.Components;

/// <summary>A DRAM stream cut into granules of equally many words; an exact multiple leaves an empty one at the end.</summary>
internal sealed class ScaleSimGranules
{
    private readonly long[]? _begins;

    private ScaleSimGranules(long size, long words, long[]? begins) => (Size, Count, _begins) = (size, (words / size) + 1, begins);

    /// <summary>Words in a granule.</summary>
    public long Size { get; }

    /// <summary>Granules.</summary>
    public long Count { get; }

    /// <summary>Granules of a stream.</summary>
    /// <param name="size">Words in a granule.</param>
    /// <param name="operand">The operand.</param>
    /// <param name="pixels">The pixels behind the entries of a convolution's ifmap; entries without a pixel are no words. Null for an ordinary matrix.</param>
    public static ScaleSimGranules Of(long size, ScaleSimOperand operand, ScaleSimPixels? pixels) =>
        pixels is null || pixels.Filled == operand.Words
            ? new ScaleSimGranules(size, operand.Words, null)
            : new ScaleSimGranules(size, pixels.Filled, Begins(size, operand, pixels));

    /// <summary>The key with which a granule begins.</summary>
    public long Begin(long granule) => _begins is null ? granule * Size : _begins[granule];

    private static long[] Begins(long size, ScaleSimOperand operand, ScaleSimPixels pixels)
    {
        long[] begins = new long[(pixels.Filled / size) + 1];
        (long key, long words) = (0, 0);
        foreach ((long along, long across) in operand.InStreamOrder())
        {
            key++;
            if (pixels.Address(along, across) >= 0 && ++words % size == 0)
            {
                begins[words / size] = key;
            }
        }

        return begins;
    }
}
