using Systolic.Components;
using Systolic.Simt;
using Systolic.Tests.Machines;
using Systolic.Units;

namespace Systolic.Tests.Simt;

public sealed class DeviceMemoryTests
{
    private const int Mebibytes = 64;

    /// <summary>The accelerators' main memory, with the stacks of a GPU: refreshes and row changes leave 97 to 99 % of a long read, more than any GPU was read at.</summary>
    [Theory]
    [InlineData("v100", "HBM2", 32, 0.983)]
    [InlineData("a100-40gb", "HBM2", 40, 0.983)]
    [InlineData("a100-80gb", "HBM2E", 40, 0.987)]
    [InlineData("h100", "HBM3", 80, 0.988)]
    [InlineData("h200", "HBM3", 96, 0.979)]
    public void Commands_alone_leave_more_of_the_pins_than_is_read(string machine, string standard, int channels, double share)
    {
        DeviceMemorySpec memory = SimtPresets.Load(machine).Spec.Memory;
        double commands = LongRead(memory, standard, channels, interleave: 512, streams: 1);

        commands.Should().BeApproximately(share, 0.001).And.BeGreaterThan(memory.SustainedShare + 0.03);
    }

    /// <summary>Many streams at once, as CTAs read: what is left depends on how addresses are dealt to channels, which no GPU's maker says.</summary>
    [Fact]
    public void What_many_streams_get_depends_on_the_interleave()
    {
        DeviceMemorySpec memory = SimtPresets.Load("h100").Spec.Memory;
        double[] shares = [.. new[] { 256, 512, 1024, 2048 }.Select(interleave => LongRead(memory, "HBM3", 80, interleave, streams: 256))];

        shares.Should().BeInAscendingOrder();
        shares[0].Should().BeApproximately(0.518, 0.001);
        shares[^1].Should().BeApproximately(0.946, 0.001);
    }

    private static double LongRead(DeviceMemorySpec memory, string standard, int channels, int interleave, int streams)
    {
        var spec = new DramSpec
        {
            Standard = DramStandards.Get(standard, DramPolicy.Ramulator2),
            Channels = channels,
            Bandwidth = memory.Peak,
            Capacity = memory.Capacity,
            Interleave = new Bytes(interleave),
            LookAhead = 16,
            WriteBuffer = 32,
        };
        var channelsOfChip = new StreamMemory(spec, cores: 1);
        long bytes = (long)Mebibytes << 20, end = 0;
        for (long piece = 0; piece < bytes / interleave; piece++)
        {
            long address = (piece % streams * (bytes / streams)) + (piece / streams * interleave);
            end = Math.Max(end, channelsOfChip.Read(address, interleave, time: 0));
        }

        return bytes / (end * 1e-15) / memory.Peak.BytesPerSecond;
    }
}
