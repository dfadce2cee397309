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
        RowGrid.Of(new Norm("", NormFunction.Rms, 100, 8192), 2).Should().Be(new RowGrid(100, 256, 48, 1, 1, 0, 1));
    }

    [Fact]
    public void A_longer_row_is_read_again_in_each_pass()
    {
        // 128256 x 2 B = 250.5 KiB: 16032 accesses by 1024 threads = 16 trips, two reductions, two more reads.
        RowGrid.Of(new CrossEntropy("", 100, 128256), 2).Should().Be(new RowGrid(100, 1024, 32, 16, 2, 2, 1));
    }

    [Fact]
    public void Eager_kernels_are_those_that_a_profiler_names()
    {
        // softmax_warp_forward, grid 1783 of 128 threads for 7129 rows of 768: four rows per CTA, each in a warp that holds 24 values per lane.
        RowGrid.Of(new Softmax("", 7129, 768), 4, RowStyle.Eager).Should().Be(new RowGrid(1783, 128, 32 + 24, 1, 0, 0, 4));

        // cunn_SoftMaxForward<4>: 2048 / 4 = 512 vectors, the power of two from half of them: 256 threads, 2 trips, read for maximum, sum and result.
        RowGrid.Of(new Softmax("", 32768, 2048), 4, RowStyle.Eager).Should().Be(new RowGrid(32768, 256, 40, 2, 2, 2, 1));

        // vectorized_layer_norm_kernel, grid 4976 of 128 threads for 4976 rows of 612: 153 vectors in 2 trips, then again.
        RowGrid.Of(new Norm("", NormFunction.Layer, 4976, 612), 4, RowStyle.Eager).Should().Be(new RowGrid(4976, 128, 32, 2, 1, 1, 1));
    }

    [Fact]
    public void A_serving_engine_gives_a_row_to_a_thousand_threads() =>
        // 11008 / 1024 = 10.75 turns, four at a time: 3 trips, no reduction.
        RowGrid.Of(new Elementwise("", ElementwiseFunction.GatedSilu, 64, 11008), 2, RowStyle.Serving).Should().Be(new RowGrid(64, 1024, 32, 3, 0, 0, 1));

    [Theory]
    [InlineData(100, 1024, 0, 0)] // one row of 4 KiB per multiprocessor
    [InlineData(1080, 16384, 1, 1)] // 10 rows of 64 KiB = 640 of 192 KiB in L1; 108 x 640 KiB = 67.5 of 26.7 MiB in L2
    [InlineData(108, 24576, 0.5, 0)] // one row of 96 KiB: (0.5 - 0.3) / 0.4
    public void What_is_read_again_misses_when_live_rows_outgrow_a_cache(long rows, long columns, double missesL1, double missesL2)
    {
        var grid = RowGrid.Of(new Norm("", NormFunction.Layer, rows, columns), 4, RowStyle.Eager);
        var reuse = RowReuse.Of(SimtPresets.Load("a100-80gb").Spec, grid, columns * 4.0);
        reuse.MissesL1.Should().BeApproximately(missesL1, 1e-9);
        reuse.MissesL2.Should().BeApproximately(missesL2, 1e-9);
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
