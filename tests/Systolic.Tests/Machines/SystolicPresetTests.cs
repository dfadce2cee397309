using Systolic.Hardware;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Tests.Machines;

/// <summary>The shipped systolic machines against what their vendor publishes.</summary>
public sealed class SystolicPresetTests
{
    private const double Tera = 1e12;

    [Fact]
    public void Every_name_loads_and_the_machine_bears_it()
    {
        foreach (string name in MachinePresets.Names)
        {
            MachinePresets.Load(name).Profile.Name.Should().Be(name);
        }

        MachinePresets.Names.Should().OnlyHaveUniqueItems().And.Contain(RealRuns.Systolic);
    }

    // 128 rows x 128 columns x 2 x clock; fp32 takes four passes; fp8 covers 1, 2 or 4 rows per cell.
    [Theory]
    [InlineData("trn1", DataType.Bf16, 91.75)] // 2.8 GHz; architecture guide: 92
    [InlineData("trn1", DataType.Fp16, 91.75)]
    [InlineData("trn1", DataType.Tf32, 91.75)]
    [InlineData("trn1", DataType.Fp32, 22.94)] // guide: 23
    [InlineData("trn1", DataType.Fp8E4M3, 91.75)] // no faster than bf16; guide: 92
    [InlineData("trn2", DataType.Bf16, 78.64)] // 2.4 GHz; guide: 79
    [InlineData("trn2", DataType.Fp32, 19.66)] // guide: 20
    [InlineData("trn2", DataType.Fp8E4M3, 157.29)] // guide: 158
    [InlineData("trn3", DataType.Bf16, 78.64)]
    [InlineData("trn3", DataType.Fp32, 19.66)]
    [InlineData("trn3", DataType.Fp8E5M2, 314.57)] // guide: 315
    public void A_core_s_peak_is_array_times_clock(string name, DataType type, double teraflops)
    {
        Accelerator chip = MachinePresets.Accelerator(name);
        Accelerator core = MachinePresets.Accelerator(name + "-core");
        (2 * core.PeakMacsPerSecond(type) / Tera).Should().BeApproximately(teraflops, 0.005);
        chip.PeakMacsPerSecond(type).Should().Be(chip.Cores * core.PeakMacsPerSecond(type));
        core.Cores.Should().Be(1);
    }

    [Fact]
    public void A_tpu_v4_is_two_cores_of_four_arrays()
    {
        Accelerator chip = MachinePresets.Accelerator("tpu-v4");

        // 2 cores x 4 arrays x 128 x 128 x 2 x 1.05 GHz; Jouppi et al. ISCA 2023, table 4: 275 TFLOPS, 32 MiB of vector memory, 1200 GB/s.
        (2 * chip.PeakMacsPerSecond(DataType.Bf16) / Tera).Should().BeApproximately(275.25, 0.01);
        (chip.Cores * chip.Sbuf.Capacity.Value).Should().Be(32L << 20);
        chip.Memory.Bandwidth.Should().Be(Bandwidth.FromGigabytesPerSecond(1200));
    }

    // The hardware pages print chip totals that are up to 7 % above array x clock x cores: the model never exceeds the vendor.
    [Theory]
    [InlineData("trn1", DataType.Bf16, 190)] // 2 x 91.75 = 183.5
    [InlineData("trn2", DataType.Bf16, 667)] // 8 x 78.64 = 629.1
    [InlineData("trn2", DataType.Fp8E4M3, 1299)] // 8 x 157.29 = 1258.3
    [InlineData("trn3", DataType.Bf16, 671)] // 8 x 78.64 = 629.1
    [InlineData("trn3", DataType.Fp8E4M3, 2517)] // 8 x 314.57 = 2516.6
    public void A_chip_s_peak_is_at_most_that_of_its_hardware_page(string name, DataType type, double teraflops) =>
        (2 * MachinePresets.Load(name).Profile.PeakMacsPerSecond[type] / Tera).Should().BeInRange(0.93 * teraflops, teraflops);

    [Theory]
    [InlineData("trn1", 2, 24)] // 128 x 192 KiB
    [InlineData("trn2", 8, 28)] // 128 x 224 KiB
    [InlineData("trn3", 8, 32)] // 128 x 256 KiB
    public void On_chip_memory_equals_the_architecture_guide(string name, int cores, double sbufMebibytes)
    {
        foreach (Accelerator machine in new[] { MachinePresets.Accelerator(name), MachinePresets.Accelerator(name + "-core") })
        {
            machine.Sbuf.Capacity.Should().Be(Bytes.FromMebibytes(sbufMebibytes));
            machine.Psum.Capacity.Should().Be(Bytes.FromMebibytes(2));
            machine.Psum.BankSize.Should().Be(Bytes.FromKibibytes(2), "512 fp32 sums");
        }

        MachinePresets.Accelerator(name).Cores.Should().Be(cores);
    }

    // 16 engines of 17, 23 and 33 GB/s per core.
    [Theory]
    [InlineData("trn1", 272, 820, 32)]
    [InlineData("trn2", 368, 2900, 96)]
    [InlineData("trn3", 528, 4900, 144)]
    public void Bandwidths_and_capacity_equal_the_vendor_s(string name, double dmaGigabytes, double memoryGigabytes, double gibibytes)
    {
        Accelerator chip = MachinePresets.Accelerator(name);
        chip.Dma.Bandwidth.Should().Be(Bandwidth.FromGigabytesPerSecond(dmaGigabytes));
        MachinePresets.Accelerator(name + "-core").Dma.Should().Be(chip.Dma);
        chip.Memory.Bandwidth.Should().Be(Bandwidth.FromGigabytesPerSecond(memoryGigabytes));
        chip.Memory.Capacity.Should().Be(Bytes.FromGibibytes(gibibytes));
        MachinePresets.Load(name).Profile.MainMemoryCapacity.Should().Be(chip.Memory.Capacity);
    }

    [Theory]
    [InlineData("trn1", 2.8, 1.12, 1.4, 1.4)]
    [InlineData("trn2", 2.4, 0.96, 1.2, 1.2)]
    [InlineData("trn3", 2.4, 1.2, 1.2, 1.2)]
    public void Clocks_equal_the_architecture_guide(string name, double tensor, double vector, double scalar, double gpSimd)
    {
        Accelerator machine = MachinePresets.Accelerator(name);
        machine.TensorEngine.Clock.Should().Be(Frequency.FromGigahertz(tensor));
        machine.VectorEngine.Clock.Should().Be(Frequency.FromGigahertz(vector));
        machine.ScalarEngine.Clock.Should().Be(Frequency.FromGigahertz(scalar));
        machine.GpSimdEngine.Clock.Should().Be(Frequency.FromGigahertz(gpSimd));
    }

    [Theory]
    [MemberData(nameof(RealRuns.SystolicMachines), MemberType = typeof(RealRuns))]
    public void Every_preset_names_what_it_assumes(string name) => MachinePresets.Load(name).Profile.Assumptions.Select(item => item.Parameter)
        .Should().Contain(["tensorEngine.resultLatency", "dma.completionLatency", "memory.standard", "power.idle"]).And.OnlyHaveUniqueItems();

    [Fact]
    public void A_machine_loads_by_path_and_an_unknown_name_is_told_with_the_nearest()
    {
        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".json");
        File.WriteAllText(file, MachinePresets.Json("trn1-core").Replace("\"trn1-core\"", "\"mine\"", StringComparison.Ordinal));
        try
        {
            MachinePresets.Load(file).Profile.Name.Should().Be("mine");
        }
        finally
        {
            File.Delete(file);
        }

        Action load = () => MachinePresets.Load("trn22");
        load.Should().Throw<InvalidDocumentException>().WithMessage("trn22: found no such machine*trn2*");
        Action accelerator = () => MachinePresets.Accelerator("h100");
        accelerator.Should().Throw<InvalidDocumentException>().WithMessage("*h100: kind: found \"simt\", expected \"systolic\"*");
    }
}
