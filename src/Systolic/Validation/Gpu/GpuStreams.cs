using System.Globalization;
using System.Text.RegularExpressions;
using Systolic.Simt;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>Reads, copies and pointer chases of memory benchmarks.</summary>
internal static partial class GpuStreams
{
    private const int ElementBytes = 8;

    /// <summary>A kernel that stays on the machine and meets at a barrier instead of ending: measured for the smallest size.</summary>
    private static readonly SimTime GridBarrier = SimTime.FromNanoseconds(1030);

    /// <summary>Predicts a row.</summary>
    public static GpuPrediction Predict(GpuRow row, GpuBench bench)
    {
        SimtSpec spec = bench.Spec;
        if (row.Op == "mem_latency")
        {
            return Footprint(row) is { } size
                ? new(GpuClasses.Latency) { Seconds = StreamTime.LatencyCycles(spec, size) / spec.MaximumClock.Hertz }
                : GpuPrediction.Refuse("the footprint of a chase is not stated");
        }

        if (row.Variant.StartsWith("shared-cache sweep", StringComparison.Ordinal) && row.M > 0)
        {
            return new(GpuClasses.Streams) { Rate = StreamTime.RepeatedReadRate(spec, new Bytes(row.M)) };
        }

        if (row.Variant.StartsWith("back-to-back small kernels", StringComparison.Ordinal) && row.M > 0)
        {
            var array = new Bytes(checked(row.M * ElementBytes));
            return new(GpuClasses.Streams) { Seconds = Gap(row, spec).Seconds + StreamTime.RepeatedCopySeconds(spec, array, array) };
        }

        if (OccupancyPattern().Match(row.Variant) is not { Success: true } match)
        {
            return GpuPrediction.Refuse($"no model of {row.Variant} in the library");
        }

        double share = double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) / 100;
        int warps = (int)Math.Round(share * spec.Multiprocessor.MaximumWarps), reads = row.Op == "mem_triad" ? 2 : 1, writes = row.Op == "mem_read" ? 0 : 1;
        return new(GpuClasses.Streams) { Rate = StreamTime.Rate(spec, warps, reads * ElementBytes, writes * ElementBytes) };
    }

    private static SimTime Gap(GpuRow row, SimtSpec spec) =>
        row.Variant.EndsWith("CUDA graph", StringComparison.Ordinal) ? spec.Launch.Graph
        : row.Variant.EndsWith("stream launches", StringComparison.Ordinal) ? spec.Launch.Stream
        : GridBarrier;

    /// <summary>The column of sizes, or the size in words, such as "4 MB chase".</summary>
    private static Bytes? Footprint(GpuRow row) =>
        row.M > 0 ? new Bytes(row.M)
        : SizePattern().Match(row.Variant) is { Success: true } match
            ? new Bytes(long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) << (match.Groups[2].Value == "K" ? 10 : 20))
        : null;

    [GeneratedRegex(@"occupancy ([\d.]{1,6})%", RegexOptions.CultureInvariant)]
    private static partial Regex OccupancyPattern();

    [GeneratedRegex(@"(\d{1,6}) ([KM])i?B chase", RegexOptions.CultureInvariant)]
    private static partial Regex SizePattern();
}
