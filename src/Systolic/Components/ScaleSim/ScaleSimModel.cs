namespace Systolic.Components;

/// <summary>SCALE-Sim v3 in compatibility mode: the same figures, found from closed forms and a handful of events instead of word by word.</summary>
/// <remarks>
/// A model of that tool, not of a machine: folds never overlap, partial sums are never read back, and in USER mode stalls are partly artefacts of its
/// prefetcher. This library's own machines share nothing with it but the description of a scratchpad.
/// </remarks>
public static class ScaleSimModel
{
    /// <summary>Runs one layer from empty SRAMs.</summary>
    /// <exception cref="ArgumentException">A size of the configuration is less than 1.</exception>
    /// <exception cref="OverflowException">A count exceeds 64 bits.</exception>
    /// <exception cref="Accounting.CapacityException">The input of a convolution with overlapping windows has more words than can be tracked.</exception>
    public static ScaleSimReport Run(ScaleSimConfiguration configuration, ScaleSimLayer layer)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(layer);
        RefuseEmpty(configuration);
        return new ScaleSimRun(configuration, layer).Report();
    }

    private static void RefuseEmpty(ScaleSimConfiguration configuration)
    {
        (long ifmap, long filter, long ofmap) = configuration.Bandwidth is { } given ? (given.Ifmap, given.Filter, given.Ofmap) : (1, 1, 1);
        foreach (long size in (ReadOnlySpan<long>)
            [configuration.Rows, configuration.Columns, configuration.IfmapKibibytes, configuration.FilterKibibytes, configuration.OfmapKibibytes, ifmap, filter, ofmap])
        {
            if (size < 1)
            {
                throw new ArgumentException($"Found {configuration}, expected every size and bandwidth to be at least 1.", nameof(configuration));
            }
        }
    }
}
