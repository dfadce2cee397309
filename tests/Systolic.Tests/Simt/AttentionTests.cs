using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Simt;
using Systolic.Tests.Machines;
using Systolic.Workloads;

namespace Systolic.Tests.Simt;

public sealed class AttentionTests
{
    [Fact]
    public void A_causal_mask_skips_the_blocks_above_the_diagonal()
    {
        // 1024 queries in blocks of 128, keys in blocks of 64: query block i sees 2 (i + 1) key blocks, 2 + 4 + ... + 16 = 72 of 8 x 16.
        AttentionGrid grid = AttentionGrid.Forward(new Attention("", 1, 1, 1, 1024, 1024, 128, Causal: true), new AttentionTile(128, 64, 32, 2), 1);
        (grid.Ctas, grid.TotalBlocks, grid.Longest, grid.Shortest).Should().Be((8L, 72.0, 16L, 2L));
    }

    [Fact]
    public void A_window_skips_the_blocks_behind_it()
    {
        // A window of 256: query block i begins to see at key max(0, 128 i - 255), in block floor(that / 64): 0, 0, 0, 2, 4, 6, 8, 10. 72 - 30 blocks are left.
        var op = new Attention("", 1, 1, 1, 1024, 1024, 128, Causal: true) { Window = 256 };
        AttentionGrid.Forward(op, new AttentionTile(128, 64, 32, 2), 1).TotalBlocks.Should().Be(42);

        // Key block j of 128 is seen from query 128 j to 128 j + 127 + 255, in blocks of 64: six each, but four and two of the last two.
        AttentionGrid.Backward(op with { Backward = true }, new AttentionTile(64, 128, 32, 1)).TotalBlocks.Should().Be((6 * 6) + 4 + 2);
    }

    [Fact]
    public void The_backward_grid_counts_the_same_pairs_from_the_keys()
    {
        // Key blocks of 128, query blocks of 64: key block j is seen by 16 - 2j query blocks, 16 + 14 + ... + 2 = 72.
        AttentionGrid grid = AttentionGrid.Backward(new Attention("", 1, 1, 1, 1024, 1024, 128, Causal: true, Backward: true), new AttentionTile(64, 128, 32, 1));
        (grid.Ctas, grid.TotalBlocks, grid.Longest, grid.Shortest).Should().Be((8L, 72.0, 16L, 2L));
    }

    [Theory]
    [InlineData(4, 110)] // as many CTAs as slots: one wave of 10 x 10 + 10
    [InlineData(5, 220)] // one more: two waves
    public void Equal_ctas_run_in_whole_waves(long ctas, double cycles) =>
        new AttentionGrid(ctas, ctas * 10, 10, 10).Makespan(4, 10, 10, longestFirst: true).Should().Be(cycles);

    [Fact]
    public void Decode_reads_its_cache_near_the_sustained_rate()
    {
        // 32 sequences x 8 heads x 8192 tokens x 128 x 2 B x (K and V) = 1.07 GB; H100 sustains 0.94 x 3350 GB/s = 3.15 TB/s: 341 us.
        OperatorRun run = SimtPresets.Run("h100", new Attention("", 32, 32, 8, 1, 8192, 128, Causal: true));
        run.Time.Microseconds.Should().BeInRange(341, 341 * 1.1);
        run.Stack[CycleComponent.MemoryBandwidth].Seconds.Should().BeGreaterThan(0.9 * run.Time.Seconds);
    }

    [Fact]
    public void Decode_of_one_sequence_splits_its_keys_over_the_machine()
    {
        OperatorRun run = SimtPresets.Run("h100", new Attention("", 1, 32, 8, 1, 32768, 128, Causal: true));
        run.Mapping.Should().Contain("flash decode").And.NotContain("split-KV 1,");
    }

    // FlashAttention-2 and -3 benchmark charts (Dao-AILab), fp16, microseconds; 15 % allowed.
    [Theory]
    [InlineData("h100", 8, 16, 2048, 128, false, 439.8)]
    [InlineData("h100", 1, 32, 16384, 64, false, 4424.6)]
    [InlineData("h100", 2, 8, 8192, 256, true, 875.4)]
    [InlineData("h100", 4, 16, 4096, 128, true, 474.8)]
    public void Forward_is_close_to_published_charts(string machine, long batch, long heads, long tokens, long headDim, bool causal, double measured)
    {
        double time = SimtPresets.Run(machine, new Attention("", batch, heads, heads, tokens, tokens, headDim, causal) { Type = DataType.Fp16 }).Time.Microseconds;
        time.Should().BeInRange(measured * 0.85, measured * 1.15);
    }

    [Theory]
    [InlineData(4, 32, 4096, 64, false, 11252)]
    [InlineData(1, 16, 16384, 128, true, 20361)]
    public void Forward_and_backward_on_a100_are_close_to_published_charts(long batch, long heads, long tokens, long headDim, bool causal, double measured)
    {
        var op = new Attention("", batch, heads, heads, tokens, tokens, headDim, causal) { Type = DataType.Fp16 };
        double time = SimtPresets.Run("a100-80gb", op).Time.Microseconds + SimtPresets.Run("a100-80gb", op with { Backward = true }).Time.Microseconds;
        time.Should().BeInRange(measured * 0.85, measured * 1.15);
    }
}
