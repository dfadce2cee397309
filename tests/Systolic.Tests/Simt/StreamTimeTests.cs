using Systolic.Simt;
using Systolic.Tests.Machines;
using Systolic.Units;

namespace Systolic.Tests.Simt;

/// <summary>Readings: RRZE gpu-benches (gpu-stream, gpu-l2-cache, gpu-latency).</summary>
public sealed class StreamTimeTests
{
    private static readonly SimtSpec A100 = SimtPresets.Load("a100-80gb").Spec, V100 = SimtPresets.Load("v100").Spec;

    [Fact]
    public void Few_warps_read_at_little_s_law()
    {
        // 108 multiprocessors x 2 warps x 32 lanes x 8 B = 55,296 B per 534 + 319 + 110 cycles of 1410 MHz: 81.0 GB/s (85 measured).
        StreamTime.Rate(A100, 2, 8, 0).Should().BeApproximately(81.0e9, 0.1e9);
    }

    [Theory]
    [InlineData(64, 8, 0, 1776)]
    [InlineData(64, 8, 8, 1737)]
    [InlineData(16, 16, 8, 1571)]
    [InlineData(4, 8, 8, 303)]
    public void Streams_come_near_the_measured_rate_at_any_occupancy(int warps, int read, int written, double gigabytes) =>
        StreamTime.Rate(A100, warps, read, written).Should().BeApproximately(gigabytes * 1e9, 0.1 * gigabytes * 1e9);

    [Theory]
    [InlineData(17, 5447.7)]
    [InlineData(47, 2026.5)]
    [InlineData(442, 1788.2)]
    public void Reading_a_footprint_again_falls_from_the_rate_of_L2_to_that_of_memory(int mebibytes, double gigabytes) =>
        StreamTime.RepeatedReadRate(A100, Bytes.FromMebibytes(mebibytes)).Should().BeApproximately(gigabytes * 1e9, 0.14 * gigabytes * 1e9);

    [Theory]
    [InlineData(121, 33.7)] // L1
    [InlineData(177, 126.9)] // partly L1
    [InlineData(1008, 205.8)] // near partition
    [InlineData(24130, 405.5)] // far partition
    [InlineData(515955, 552.2)] // main memory
    public void A_chase_takes_what_was_measured_at_every_level(int kibibytes, double cycles) =>
        StreamTime.LatencyCycles(A100, Bytes.FromKibibytes(kibibytes)).Should().BeApproximately(cycles, 0.09 * cycles);

    [Fact]
    public void One_partition_has_no_far_half() => StreamTime.LatencyCycles(V100, Bytes.FromMebibytes(4)).Should().BeApproximately(212, 2);
}
