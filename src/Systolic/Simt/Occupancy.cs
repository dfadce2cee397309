namespace Systolic.Simt;

/// <summary>Resident thread blocks per streaming multiprocessor.</summary>
internal static class Occupancy
{
    private const int WarpSize = 32;
    private const int RegisterGranularity = 8;
    private const int SharedGranularity = 1024;

    /// <summary>The least of the warp, register, shared-memory and CTA limits; 0 when one CTA does not fit.</summary>
    /// <remarks>Registers are given out in 8 per thread to whole warps, shared memory in 1 KiB (CUDA occupancy rules).</remarks>
    public static int Of(MultiprocessorSpec sm, int threads, int registersPerThread, long sharedBytes)
    {
        if (sharedBytes > sm.SharedMemoryPerCta.Value)
        {
            return 0;
        }

        int warps = (threads + WarpSize - 1) / WarpSize;
        int registers = RoundUp(registersPerThread, RegisterGranularity) * WarpSize * warps;
        long shared = (sharedBytes + SharedGranularity - 1) / SharedGranularity * SharedGranularity;
        long limit = Math.Min(sm.MaximumCtas, Math.Min(sm.MaximumWarps / warps, sm.Registers / registers));
        return (int)(shared == 0 ? limit : Math.Min(limit, sm.SharedMemory.Value / shared));
    }

    private static int RoundUp(int value, int step) => (value + step - 1) / step * step;
}
