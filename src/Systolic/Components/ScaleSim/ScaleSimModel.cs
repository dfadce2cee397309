namespace Systolic.Components;

/// <summary>SCALE-Sim v3 in compatibility mode: the same figures, found from closed forms and a handful of events instead of word by word.</summary>
/// <remarks>
/// A model of that tool, not of a machine: folds never overlap, partial sums are never read back, and in USER mode stalls are partly artefacts of its
/// prefetcher. This library's own machines share nothing with it.
/// </remarks>
public static class ScaleSimModel
{
    /// <summary>Runs one layer from empty SRAMs.</summary>
    /// <exception cref="OverflowException">A count exceeds 64 bits.</exception>
    /// <exception cref="Accounting.CapacityException">The input of a convolution with overlapping windows has more words than can be tracked.</exception>
    public static ScaleSimReport Run(ScaleSimConfiguration configuration, ScaleSimLayer layer)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(layer);
        return new ScaleSimRun(configuration, layer).Report();
    }
}
