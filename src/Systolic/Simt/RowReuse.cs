namespace Systolic.Simt;

/// <summary>What a kernel that reads its rows again finds in the caches.</summary>
/// <param name="Resident">CTAs on a multiprocessor.</param>
/// <param name="MissesL1">Share of the second reads that L1 no longer holds.</param>
/// <param name="MissesL2">Share of those that L2 no longer holds either.</param>
internal readonly record struct RowReuse(int Resident, double MissesL1, double MissesL2)
{
    /// <summary>Misses begin at 0.3 of L1 and are complete at 0.7; at 0.5 and 0.8 of what L2 holds (inferred from timings of long rows).</summary>
    /// <param name="spec">The machine.</param>
    /// <param name="grid">The kernel.</param>
    /// <param name="ctaBytes">Bytes of the rows that a CTA works on.</param>
    public static RowReuse Of(SimtSpec spec, RowGrid grid, double ctaBytes)
    {
        int resident = (int)Math.Clamp((grid.Ctas + spec.Multiprocessors - 1) / spec.Multiprocessors, 1, Math.Max(1, Occupancy.Of(spec.Multiprocessor, grid.Threads, grid.Registers, 0)));
        double live = Math.Min(grid.Ctas, (double)resident * spec.Multiprocessors) * ctaBytes;
        return new(resident, Ramp(resident * ctaBytes / spec.Multiprocessor.L1Capacity.Value, 0.3, 0.7), Ramp(live / spec.L2.SharedCapacity, 0.5, 0.8));
    }

    private static double Ramp(double share, double from, double to) => Math.Clamp((share - from) / (to - from), 0, 1);
}
