using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Tests.Machines;

public sealed class SimtPresetTests
{
    // Multiprocessors x FMA per cycle x 2 x boost clock, against the figure on the datasheet.
    [Theory]
    [InlineData("v100", DataType.Fp16, 125e12)] // 80 x 512 x 2 x 1.53 GHz = 125.3
    [InlineData("v100", DataType.Fp32, 15.7e12)] // 80 x 64 x 2 x 1.53 GHz = 15.67
    [InlineData("a100-40gb", DataType.Fp16, 312e12)] // 108 x 1024 x 2 x 1.41 GHz = 311.9
    [InlineData("a100-80gb", DataType.Bf16, 312e12)]
    [InlineData("a100-80gb", DataType.Tf32, 156e12)] // 108 x 512 x 2 x 1.41 GHz = 155.9
    [InlineData("a100-80gb", DataType.Int8, 624e12)] // 108 x 2048 x 2 x 1.41 GHz = 623.7
    [InlineData("a100-80gb", DataType.Fp32, 19.5e12)] // 108 x 64 x 2 x 1.41 GHz = 19.49
    [InlineData("h100", DataType.Bf16, 989e12)] // 132 x 2048 x 2 x 1.83 GHz = 989.4
    [InlineData("h100", DataType.Fp8E4M3, 1979e12)] // 132 x 4096 x 2 x 1.83 GHz = 1978.8
    [InlineData("h100", DataType.Tf32, 494.7e12)] // 132 x 1024 x 2 x 1.83 GHz = 494.7
    [InlineData("h200", DataType.Fp16, 989e12)]
    [InlineData("t4", DataType.Fp16, 65e12)] // 40 x 512 x 2 x 1.59 GHz = 65.1
    [InlineData("t4", DataType.Int8, 130e12)] // 40 x 1024 x 2 x 1.59 GHz = 130.3
    [InlineData("t4", DataType.Fp32, 8.14e12)] // 40 x 64 x 2 x 1.59 GHz; printed as 8.1
    [InlineData("l4", DataType.Bf16, 121e12)] // 58 x 512 x 2 x 2.04 GHz = 121.2
    [InlineData("l4", DataType.Fp32, 30.3e12)] // 58 x 128 x 2 x 2.04 GHz = 30.29
    public void Peak_equals_the_datasheet(string name, DataType type, double flops) =>
        (2 * SimtPresets.Load(name).Profile.PeakMacsPerSecond[type]).Should().BeApproximately(flops, flops * 0.005);

    [Theory]
    [InlineData("v100", 900, 32)]
    [InlineData("a100-40gb", 1555, 40)]
    [InlineData("a100-80gb", 2039, 80)]
    [InlineData("h100", 3350, 80)]
    [InlineData("h200", 4800, 131.3)] // 141 GB
    [InlineData("t4", 320, 16)]
    [InlineData("l4", 300, 24)]
    public void Memory_equals_the_datasheet(string name, double gigabytesPerSecond, double gibibytes)
    {
        SimtMachine machine = SimtPresets.Load(name);
        machine.Profile.MainMemory.Should().Be(Bandwidth.FromGigabytesPerSecond(gigabytesPerSecond));
        (machine.Profile.MainMemoryCapacity.Value / 1073741824.0).Should().BeApproximately(gibibytes, 0.05);
    }

    [Fact]
    public void H100_fp32_reaches_its_datasheet_figure_at_the_highest_clock()
    {
        // 132 x 128 x 2 x 1.98 GHz = 66.9 TFLOPS, which the datasheet prints as 67.
        SimtMachine machine = SimtPresets.Load("h100");
        double flops = 2.0 * machine.Spec.Multiprocessors * machine.Spec.Multiprocessor.Fp32Lanes * machine.Spec.MaximumClock.Hertz;
        flops.Should().BeApproximately(66.9e12, 0.05e12);
    }

    [Fact]
    public void V100_runs_bf16_as_fp16_and_says_so()
    {
        SimtMachine machine = SimtPresets.Load("v100");
        machine.Profile.PeakMacsPerSecond[DataType.Bf16].Should().Be(machine.Profile.PeakMacsPerSecond[DataType.Fp16]);
        machine.Profile.Assumptions.Should().Contain(item => item.Parameter == "tensorCores.runsAs.bf16");
    }

    [Fact]
    public void Every_preset_names_its_fitted_device_constants()
    {
        foreach (string name in SimtPresets.Names)
        {
            SimtPresets.Load(name).Profile.Assumptions.Select(item => item.Parameter)
                .Should().Contain(["power.perFlop", "memory.sustainedShare", "kernel constants"]).And.OnlyHaveUniqueItems(name);
        }
    }
}
