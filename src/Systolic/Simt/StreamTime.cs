using Systolic.Units;

namespace Systolic.Simt;

/// <summary>Plain reads and copies: what memory and caches give when a kernel does nothing else.</summary>
internal static class StreamTime
{
    /// <summary>Norm by which latency, caches and main memory join. Inferred.</summary>
    private const double FreeJoin = 3.5;

    /// <summary>Share of L1 that a chase can use, and how sharply hits fall around it. Inferred from one reading, 127 cycles at 177 of 192 KiB (A100).</summary>
    private const double L1Midpoint = 0.92;
    private const double L1Steepness = 30;

    /// <summary>The same for a partition of L2 and for all of it. Inferred from the sweep over footprints on H200.</summary>
    private const double L2Midpoint = 1.05;
    private const double L2Steepness = 13.4;

    /// <summary>Bytes per second of a long stream through main memory in which every thread moves one element of each array.</summary>
    /// <remarks>Little's law: bytes in flight over the time of a CTA, which is its start and one loaded latency; joined with the sustained bandwidth of main memory.</remarks>
    /// <param name="spec">The machine.</param>
    /// <param name="warps">Warps on each multiprocessor.</param>
    /// <param name="readBytes">Bytes that a thread reads.</param>
    /// <param name="writtenBytes">Bytes that a thread writes.</param>
    public static double Rate(SimtSpec spec, int warps, int readBytes, int writtenBytes)
    {
        double threads = (double)warps * 32 * spec.Multiprocessors;
        double bytes = threads * (readBytes + writtenBytes);
        double latency = (double)(spec.Memory.LatencyCycles + spec.Memory.StreamingCycles + RowProgram.StartCycles) / spec.MaximumClock.Hertz;
        return bytes / Join.Norm(latency, spec.Memory.Seconds(threads * readBytes, threads * writtenBytes), FreeJoin);
    }

    /// <summary>Bytes per second of reading the same footprint again and again, with enough loads in flight.</summary>
    public static double RepeatedReadRate(SimtSpec spec, Bytes footprint)
    {
        double hits = spec.L2.Resident(footprint.Value);
        return 1 / ((hits / (spec.L2.BytesPerCycle * spec.MaximumClock.Hertz)) + ((1 - hits) / spec.Memory.Sustained));
    }

    /// <summary>Seconds of a copy whose operands the kernel before used: what L2 kept passes only there, a write counting twice.</summary>
    public static double RepeatedCopySeconds(SimtSpec spec, Bytes read, Bytes written)
    {
        double cold = 1 - spec.L2.Resident(read.Value + written.Value);
        double cache = (read.Value + (2.0 * written.Value)) / (spec.L2.BytesPerCycle * spec.MaximumClock.Hertz);
        return Join.Norm(cache, spec.Memory.Seconds(cold * read.Value, cold * written.Value), FreeJoin);
    }

    /// <summary>Cycles of one dependent load of a random walk through a footprint: L1, the near partition of L2, the far one, main memory.</summary>
    public static double LatencyCycles(SimtSpec spec, Bytes footprint)
    {
        L2Spec l2 = spec.L2;
        double inL1 = L2Spec.Hits(footprint.Value, spec.Multiprocessor.L1Capacity.Value * L1Midpoint, L1Steepness);
        double whole = l2.Capacity.Value * L2Midpoint;
        double near = L2Spec.Hits(footprint.Value, l2.FarLatencyCycles > l2.LatencyCycles ? whole / 2 : whole, L2Steepness);
        double far = L2Spec.Hits(footprint.Value, whole, L2Steepness);
        double beyond = (far * l2.FarLatencyCycles) + ((1 - far) * spec.Memory.LatencyCycles);
        return (inL1 * spec.Multiprocessor.L1LatencyCycles) + ((1 - inL1) * ((near * l2.LatencyCycles) + ((1 - near) * beyond)));
    }
}
