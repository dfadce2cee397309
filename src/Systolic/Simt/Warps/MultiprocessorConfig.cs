namespace Systolic.Simt;

/// <summary>Which of its ready warps a scheduler issues.</summary>
internal enum WarpScheduling
{
    /// <summary>The one that issued last, else the oldest (GTO).</summary>
    GreedyThenOldest,

    /// <summary>The next one after that which issued last (LRR).</summary>
    RoundRobin,
}

/// <summary>What a multiprocessor is besides the durations that instructions carry.</summary>
/// <param name="SubCores">Schedulers, each with its warps and pipes.</param>
/// <param name="SharedQueue">Wavefronts that may wait at the shared-memory port before issue stops; 8 inferred, 4 to 16 differ little.</param>
/// <param name="Turnaround">Cycles from the end of a CTA to the first issue of the next in its place.</param>
/// <param name="Scheduling">The schedulers' rule.</param>
internal sealed record MultiprocessorConfig(int SubCores = 4, int SharedQueue = 8, int Turnaround = 0, WarpScheduling Scheduling = WarpScheduling.RoundRobin);

/// <summary>What the chip gives one multiprocessor: its share of L2 and main memory.</summary>
/// <param name="ReadTicks">Eighths of a cycle per KiB read.</param>
/// <param name="WriteTicks">Eighths of a cycle per KiB written.</param>
/// <param name="Latency">Cycles from the last byte's turn at the port to its arrival.</param>
/// <remarks>Eighths, so that states repeat exactly: a request of 512 bytes is off by at most 0.06 cycles.</remarks>
internal readonly record struct Supply(int ReadTicks, int WriteTicks, int Latency)
{
    /// <summary>Ticks of a cycle.</summary>
    public const int TicksPerCycle = 8;

    /// <summary>From rates in bytes per cycle.</summary>
    public static Supply Of(double readBytesPerCycle, double writeBytesPerCycle, double latency) =>
        new(Ticks(readBytesPerCycle), Ticks(writeBytesPerCycle), (int)Math.Round(latency));

    /// <summary>Ticks that <paramref name="bytes"/> take, in the nearest whole number.</summary>
    public static long Ticks(long bytes, int ticksPerKiB) => ((bytes * ticksPerKiB) + 512) >> 10;

    private static int Ticks(double bytesPerCycle) => (int)Math.Min(1 << 24, Math.Round(1024 * TicksPerCycle / bytesPerCycle));
}

/// <summary>Thread blocks that a multiprocessor gets in turn, all with one supply.</summary>
/// <param name="Count">How many.</param>
/// <param name="Supply">What L2 and main memory give while they run.</param>
internal readonly record struct CtaBatch(long Count, Supply Supply);
