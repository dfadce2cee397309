using Systolic.Accounting;
using Systolic.Simt;
using Systolic.Tests.Machines;
using Systolic.Workloads;

namespace Systolic.Tests.Simt;

public sealed class RowKernelTests
{
    [Fact]
    public void A_flat_kernel_gives_every_thread_sixteen_bytes()
    {
        // 1000 x 1024 bf16 elements / (128 threads x 8) = 1000 CTAs.
        RowGrid grid = RowGrid.Of(new Elementwise("", ElementwiseFunction.Add, 1000, 1024), 2);
        grid.Should().Be(new RowGrid(1000, 128, 32, 1, 0, 0));
    }

    [Fact]
    public void A_row_that_fits_registers_is_loaded_once()
    {
        // 8192 x 2 B = 1024 accesses of 16 B; 256 threads hold 4 each, 16 registers above the base of 32.
        RowGrid.Of(new Norm("", NormFunction.Rms, 100, 8192), 2).Should().Be(new RowGrid(100, 256, 48, 1, 1, 0));
    }

    [Fact]
    public void A_longer_row_is_read_again_in_each_pass()
    {
        // 128256 x 2 B = 250.5 KiB: 16032 accesses by 1024 threads = 16 trips, two reductions, two more reads.
        RowGrid.Of(new CrossEntropy("", 100, 128256), 2).Should().Be(new RowGrid(100, 1024, 32, 16, 2, 2));
    }

    [Fact]
    public void A_large_sum_runs_at_the_sustained_bandwidth_with_turnaround()
    {
        // 3 x 8192 x 16384 x 2 B = 805 MB, two thirds read: 0.94 x 3350 GB/s x (1 - 0.05 x 4 x 2/9) = 3.009 TB/s: 267.6 us.
        OperatorRun run = SimtPresets.Run("h100", new Elementwise("", ElementwiseFunction.Add, 8192, 16384));
        run.Time.Microseconds.Should().BeInRange(267.6, 267.6 * 1.05);
        run.Counts.DramBytes.Should().BeCloseTo(3L * 8192 * 16384 * 2, 1000);
    }

    [Fact]
    public void Adamw_moves_all_of_its_state()
    {
        // bf16 gradient in and weight out, three fp32 arrays in and out: 28 bytes per parameter.
        OperatorRun run = SimtPresets.Run("a100-80gb", new AdamW("", 8192, 8192));
        run.Counts.DramBytes.Should().BeInRange(28L * 8192 * 8192 * 99 / 100, (28L * 8192 * 8192) + 2);
        run.Stack[CycleComponent.MemoryBandwidth].Seconds.Should().BeGreaterThan(0.9 * run.Time.Seconds);
    }

    // LLMCompass artifact, gelu on A100 80 GB; 15 % allowed.
    [Fact]
    public void Gelu_is_close_to_a_measured_rate()
    {
        // NVIDIA A100 80 GB, 2^29 fp16 elements: 1.56 TB/s of reads and writes.
        const long elements = 1L << 29;
        OperatorRun run = SimtPresets.Run("a100-80gb", new Elementwise("", ElementwiseFunction.Gelu, elements / 4096, 4096));
        (elements * 4 / run.Time.Seconds).Should().BeInRange(1.56e12 * 0.85, 1.56e12 * 1.15);
    }
}
