using Systolic.Simt;
using Systolic.Tests.Machines;
using Systolic.Workloads;

namespace Systolic.Tests.Simt;

public sealed class GemmPlanTests
{
    private static readonly SimtSpec A100 = SimtPresets.Load("a100-80gb").Spec;
    private static readonly SimtSpec H100 = SimtPresets.Load("h100").Spec;

    private static GemmPlan Plan(SimtSpec spec, long m, long k, long n, int tileM, int tileN, int split = 1)
    {
        GemmTile tile = GemmTiles.For(spec.TensorCores.Instruction, onTensorCores: true).First(tile => tile.M == tileM && tile.N == tileN);
        return GemmPlan.TryCreate(spec, GemmProblem.Of(new MatMul("", m, k, n), spec), tile, split)!;
    }

    // 256x128 tiles, one CTA per multiprocessor, 108 multiprocessors.
    [Theory]
    [InlineData(2048, 128, 2)] // 8 x 16 tiles = 128 = 108 + 20
    [InlineData(4096, 512, 5)] // 16 x 32 tiles = 512 = 4 x 108 + 80
    public void Tiles_fill_waves_on_a100(long size, long tiles, long waves)
    {
        GemmPlan plan = Plan(A100, size, 4096, size, 256, 128);
        (plan.Tiles, plan.Resident, plan.Waves).Should().Be((tiles, 1, waves));
    }

    // 128x256 tiles, one CTA per multiprocessor, 132 multiprocessors.
    [Theory]
    [InlineData(4096, 512, 4)] // 32 x 16 = 512 = 3 x 132 + 116
    [InlineData(8192, 2048, 16)] // 64 x 32 = 2048 = 15 x 132 + 68
    public void Tiles_fill_waves_on_h100(long size, long tiles, long waves)
    {
        GemmPlan plan = Plan(H100, size, 4096, size, 128, 256);
        (plan.Tiles, plan.Resident, plan.Waves).Should().Be((tiles, 1, waves));
    }

    [Fact]
    public void One_tile_more_than_a_wave_costs_almost_a_wave_more()
    {
        // 12 x 9 = 108 tiles of 256x128 fill A100 once; 13 x 9 = 117 take a second wave.
        double one = Plan(A100, 12 * 256, 4096, 9 * 128, 256, 128).Simulate(1.41e9).Cycles;
        double two = Plan(A100, 13 * 256, 4096, 9 * 128, 256, 128).Simulate(1.41e9).Cycles;
        (two / one).Should().BeInRange(1.85, 2.0);
    }

    [Fact]
    public void A_k_step_of_the_large_hopper_tile_is_bound_by_its_tensor_cores()
    {
        // 128 x 256 x 64 / 2048 = 1024 cycles. 64 more steps, all else equal.
        long shorter = Plan(H100, 1024, 64 * 64, 1024, 128, 256).Simulate(1.5e9).Cycles;
        long longer = Plan(H100, 1024, 128 * 64, 1024, 128, 256).Simulate(1.5e9).Cycles;
        (longer - shorter).Should().Be(64 * 1024);
    }

    [Fact]
    public void A_two_stage_volta_kernel_pays_the_memory_latency_every_step()
    {
        // One 64x64x32 CTA multiplies for 64 x 64 x 32 / 512 x 37 / 32 = 296 cycles, but what a step loads comes after at least 430, and the next step waits for it.
        SimtSpec v100 = SimtPresets.Load("v100").Spec;
        long shorter = Plan(v100, 64, 64 * 32, 64, 64, 64).Simulate(1.53e9).Cycles;
        long longer = Plan(v100, 64, 128 * 32, 64, 64, 64).Simulate(1.53e9).Cycles;
        ((longer - shorter) / 64.0).Should().BeInRange(430, 430 + 296);
    }

    [Fact]
    public void Split_k_divides_the_steps_and_adds_a_reduction()
    {
        // K 4096 in steps of 32 = 128; split in 3: 43 steps each. Partial sums: 3 x 64 x 4096 x 4 B written and read.
        GemmPlan plan = Plan(A100, 64, 4096, 4096, 64, 128, split: 3);
        plan.Steps.Should().Be(43);
        plan.ReductionBytes.Should().Be(2.0 * 3 * 64 * 4096 * 4);
        plan.ReductionSeconds(1e9).Should().BeApproximately(1.34e-6 + (plan.ReductionBytes / (3850 / 2.0) / 1e9), 1e-15); // a launch, and half the rate of L2
    }

    // 256x128 tiles on 108 multiprocessors, K 4096 in 128 steps: 8 x 16 = 128 tiles are a wave and 20. Streamed, one wave of 108 deals 128 x 128 = 16384 steps, 152 each (the last 120).
    [Fact]
    public void Stream_k_deals_the_steps_of_the_last_whole_wave_and_the_rest_evenly()
    {
        GemmPlan plan = Plan(A100, 2048, 4096, 2048, 256, 128), streamed = plan.Stream()!;

        (plan.KSteps, plan.FullWaves, plan.Remainder, plan.LastSteps).Should().Be((128, 1, 20, 128));
        (streamed.FullWaves, streamed.Remainder, streamed.LastSteps, streamed.Waves, streamed.Busiest).Should().Be((0, 108, 152, 1, 1));
        // Shares begin at multiples of 152 = 8 x 19, every sixteenth of them with a tile: of 107 six do, 101 leave 256 x 128 sums of 4 B, written and read.
        streamed.ReductionBytes.Should().Be(2.0 * 101 * 256 * 128 * 4);
        streamed.ReductionSeconds(1e9).Should().Be(0);
        // 152 steps in place of two times 128, and the sums that are handed on.
        (streamed.Simulate(1.41e9).Cycles / (double)plan.Simulate(1.41e9).Cycles).Should().BeInRange(152 / 256.0, 0.75);
    }

    [Fact]
    public void Stream_k_keeps_whole_waves_but_the_last()
    {
        // 16 x 32 = 512 tiles = 4 x 108 + 80: three whole waves, then 188 tiles of 128 steps on 108 CTAs.
        GemmPlan streamed = Plan(A100, 4096, 4096, 4096, 256, 128).Stream()!;

        (streamed.FullWaves, streamed.LastSteps, streamed.Remainder).Should().Be((3, 223, 108));
        Plan(A100, 12 * 256, 4096, 9 * 128, 256, 128).Stream().Should().BeNull("108 tiles are a wave");
        Plan(A100, 64, 4096, 4096, 64, 128, split: 3).Stream().Should().BeNull("K is split");
    }

    [Fact]
    public void A_machine_whose_library_has_stream_k_takes_it_where_a_wave_is_left_half_empty()
    {
        GemmProblem problem = GemmProblem.Of(new MatMul("", 13 * 256, 8192, 9 * 128), A100);
        GemmChoice split = GemmKernel.Choose(A100, problem, (256, 128)), streamed = GemmKernel.Choose(A100 with { StreamK = true }, problem, (256, 128));

        split.Plan.Streamed.Should().BeFalse();
        streamed.Plan.Streamed.Should().BeTrue();
        streamed.Seconds.Should().BeLessThan(0.75 * split.Seconds);
    }

    [Fact]
    public void A_split_finer_than_the_steps_is_refused()
    {
        GemmTile tile = GemmTiles.For(MatrixInstruction.MmaSync, true)[0];
        GemmPlan.TryCreate(A100, GemmProblem.Of(new MatMul("", 64, 64, 64), A100), tile, 3).Should().BeNull();
    }

    [Fact]
    public void Operands_that_fit_half_the_cache_are_read_once()
    {
        // 2 x 2048 x 2048 x 2 B = 16 MiB of 40 MiB.
        Plan(A100, 2048, 2048, 2048, 256, 128).ReadBytes.Should().Be(2.0 * 2048 * 2048 * 2);
    }

    [Fact]
    public void Larger_operands_are_read_again_by_every_wave()
    {
        // 108 tiles of 256x128: 7 rows x 15.43 columns = 1792 + 1974.9 rows and columns of K per wave; 64 x 128 tiles take 75.9 waves.
        double perWave = ((7 * 256) + (108.0 / 7 * 128)) * 8192 * 2;
        Plan(A100, 16384, 8192, 16384, 256, 128).ReadBytes.Should().BeApproximately(64 * 128 / 108.0 * perWave, 1);
    }

    [Fact]
    public void A_skinny_product_with_a_long_k_is_split()
    {
        GemmProblem problem = GemmProblem.Of(new MatMul("", 8, 8192, 1280), A100);
        GemmKernel.Choose(A100, problem).Plan.Split.Should().BeGreaterThan(2);
    }
}
