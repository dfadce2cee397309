using Systolic.Simt;
using Systolic.Tests.Machines;

namespace Systolic.Tests.Simt;

public sealed class OccupancyTests
{
    private static readonly MultiprocessorSpec A100 = SimtPresets.Load("a100-80gb").Spec.Multiprocessor;

    [Theory]
    [InlineData(128, 32, 0, 16)] // 64 warps / 4 = 16; registers allow 65536 / (32 x 128) = 16; CTAs 32
    [InlineData(32, 32, 0, 32)] // 64 warps allow 64, the CTA limit is 32
    [InlineData(256, 128, 0, 2)] // 128 x 256 = 32768 registers: 2
    [InlineData(256, 129, 0, 1)] // rounded to 136: 34816 registers: 1
    [InlineData(128, 232, 80 * 1024, 2)] // registers 65536 / 29696 = 2, shared 164 / 80 = 2
    [InlineData(128, 144, 72 * 1024, 2)] // registers 3, shared 164 / 72 = 2
    [InlineData(128, 32, 1025, 16)] // 1025 B take 2 KiB: 82 CTAs of shared memory, warps bind
    [InlineData(1024, 64, 0, 1)] // 65536 registers, all of them
    public void The_tightest_limit_binds(int threads, int registers, long shared, int expected) =>
        Occupancy.Of(A100, threads, registers, shared).Should().Be(expected);

    [Fact]
    public void A_cta_beyond_the_shared_limit_does_not_fit() =>
        Occupancy.Of(A100, 128, 32, (163 * 1024) + 1).Should().Be(0);

    [Fact]
    public void Every_library_kernel_fits_its_generation()
    {
        foreach (string name in SimtPresets.Names)
        {
            SimtSpec spec = SimtPresets.Load(name).Spec;
            foreach (bool tensor in (bool[])[true, false])
            {
                foreach (GemmTile tile in GemmTiles.For(spec.TensorCores.Instruction, tensor))
                {
                    Occupancy.Of(spec.Multiprocessor, tile.Threads, tile.Registers, tile.SharedBytes).Should().BePositive($"{tile} on {name}");
                }
            }
        }
    }
}
