using Systolic.Numerics;
using Systolic.Simt;
using Systolic.Tests.Machines;
using Systolic.Workloads;

namespace Systolic.Tests.Simt;

/// <summary>What the warps of the flash kernels issue, counted by hand, and both simulations of them.</summary>
public sealed class AttentionProgramTests
{
    private const int Blocks = 6;

    [Fact]
    public void A_block_on_a100_does_the_work_of_its_scores()
    {
        // D 128, block 128x64 of four warps: 8192 scores.
        SimtSpec spec = SimtPresets.Load("a100-80gb").Spec;
        CtaProgram two = Forward(spec, 128, 2), one = Forward(spec, 128, 1);
        long Block(Func<WarpInstruction, long> quantity) => two.Sum(quantity) - one.Sum(quantity);

        // 2 x 128 multiply-accumulates per score at 256 per sub-core and cycle.
        Block(i => i.Pipe == Pipe.Tensor ? i.PipeCycles : 0).Should().Be(8192 * 2 * 128 / 256);

        // An exponential per score, 32 to an instruction of 8 cycles; fused multiply-add, sum and the output's 128x128 rescaled, 2 cycles each.
        Block(i => i.Pipe == Pipe.Special ? i.PipeCycles : 0).Should().Be(8192 / 32 * 8);
        Block(i => i.Pipe == Pipe.Fp32 ? i.PipeCycles : 0).Should().Be(((2 * 8192) + (128 * 128)) / 32 * 2);

        // Keys and values of 64 x 128 x 2 B; they fill the port for 256 wavefronts. Each warp reads them for its 32 rows, and its queries again: 4 x (32 + 8) KiB, 1280.
        Block(i => i.Bytes).Should().Be(2 * 64 * 128 * 2);
        Block(i => i.Pipe == Pipe.Load ? i.Wavefronts : 0).Should().Be(256);

        // And twice a wavefront for each of the four groups of eight rows of a warp: the lanes of a row agree on its maximum.
        Block(i => i.Pipe == Pipe.Shared ? i.Wavefronts : 0).Should().Be(1280 + (4 * 2 * 4));
    }

    [Fact]
    public void Warpgroups_on_h100_read_shared_memory_for_their_products()
    {
        // D 128, block 128x176 of two warpgroups. Scores: 8 slices of 176 + 64 rows of 32 B, values: 11 slices of 128 columns of 32 B.
        SimtSpec spec = SimtPresets.Load("h100").Spec;
        CtaProgram three = Forward(spec, 128, 3), two = Forward(spec, 128, 2);
        long Block(Func<WarpInstruction, long> quantity) => three.Sum(quantity) - two.Sum(quantity);
        Block(i => i.Pipe == Pipe.Warpgroup ? i.Wavefronts : 0).Should().Be(2 * ((8 * (176 + 64)) + (11 * 128)) * 32 / 128);

        // 2 x 128 multiply-accumulates per score at 2048 per cycle; each of the eight warps holds a quarter of a warpgroup's 64 rows for as long.
        Block(i => i.Pipe == Pipe.Warpgroup ? i.PipeCycles : 0).Should().Be(128 * 176 * 2 * 128 / 2048 * 4);
    }

    [Fact]
    public void A_soft_cap_adds_a_tangent_and_a_product_per_score()
    {
        SimtSpec spec = SimtPresets.Load("a100-80gb").Spec;
        CtaProgram plain = Forward(spec, 128, 4), capped = Forward(spec, 128, 4, op => op with { SoftCap = 50 });
        long More(Pipe pipe) => capped.Sum(i => i.Pipe == pipe ? i.Issues : 0) - plain.Sum(i => i.Pipe == pipe ? i.Issues : 0);
        (More(Pipe.Special), More(Pipe.Fp32)).Should().Be((4L * 8192 / 32, 4L * 8192 / 32));
    }

    [Fact]
    public void The_backward_block_makes_five_products_and_adds_dq_to_l2()
    {
        // D 128 on A100, block 64x128: 8192 pairs, 5 x 128 multiply-accumulates each; dQ of 64 x 128 fp32, each byte as two writes.
        SimtSpec spec = SimtPresets.Load("a100-80gb").Spec;
        CtaProgram two = Backward(spec, 128, 2), one = Backward(spec, 128, 1);
        (two.Sum(Tensor) - one.Sum(Tensor)).Should().Be(8192 * 5 * 128 / 256);
        (two.Sum(Stored) - one.Sum(Stored)).Should().Be(2 * 64 * 128 * 4);

        static long Tensor(WarpInstruction instruction) => instruction.Pipe == Pipe.Tensor ? instruction.PipeCycles : 0;
        static long Stored(WarpInstruction instruction) => instruction.Pipe == Pipe.Store ? instruction.Bytes : 0;
    }

    [Theory]
    [InlineData("a100-80gb", 64)]
    [InlineData("h100", 64)]
    [InlineData("h100", 128)]
    public void Both_simulations_agree_on_every_kernel(string machine, int headDim)
    {
        SimtSpec spec = SimtPresets.Load(machine).Spec;
        foreach (CtaProgram program in new[] { Forward(spec, headDim, Blocks), Backward(spec, headDim, 4) })
        {
            CtaBatch[] queue = [new(2, Supply.Of(32, 16, 400))];
            MultiprocessorRun fast = Multiprocessor.Run(WarpCode.Config(spec), program, 1, queue), slow = MultiprocessorReference.Run(WarpCode.Config(spec), program, 1, queue);
            (fast.Cycles, fast.Issued).Should().Be((slow.Cycles, slow.Issued));
            fast.Stack.Should().Equal(slow.Stack);
        }
    }

    [Fact]
    public void Scores_queued_ahead_are_faster_than_scores_in_turn()
    {
        // Where the products are twice the softmax. At 64 features both take alike, and three warpgroups in turn do as well.
        SimtSpec spec = SimtPresets.Load("h100").Spec;
        Attention op = Operator(128);
        Tile(spec, op).Ahead.Should().BeTrue();
        AttentionKernel.Price(spec, op).Time.Should().BeLessThan(AttentionKernel.Price(spec, op, tile => tile with { Ahead = false }).Time);
    }

    private static Attention Operator(int headDim) => new("", 4, 16, 16, 2048, 2048, headDim, Causal: false) { Type = DataType.Fp16 };

    private static AttentionTile Tile(SimtSpec spec, Attention op) =>
        AttentionTile.Forward(AttentionTile.Warpgroups(spec, spec.Rate(op.Type)), op.HeadDim, op.Causal, spec.Multiprocessor.SharedMemory);

    private static CtaProgram Forward(SimtSpec spec, int headDim, int blocks, Func<Attention, Attention>? change = null)
    {
        Attention op = Operator(headDim);
        return AttentionCta.Of(spec, spec.Rate(op.Type), change?.Invoke(op) ?? op, Tile(spec, op), blocks, masked: 0);
    }

    private static CtaProgram Backward(SimtSpec spec, int headDim, int blocks)
    {
        Attention op = Operator(headDim) with { Backward = true };
        MatrixRate rate = spec.Rate(op.Type);
        return AttentionCta.Of(spec, rate, op, AttentionTile.Backward(AttentionTile.Warpgroups(spec, rate), headDim, causal: false), blocks, masked: 0);
    }
}
