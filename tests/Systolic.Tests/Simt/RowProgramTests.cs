using Systolic.Numerics;
using Systolic.Simt;
using Systolic.Tests.Machines;
using Systolic.Workloads;

namespace Systolic.Tests.Simt;

/// <summary>What the warps of row kernels issue, counted by hand, and both simulations of them.</summary>
public sealed class RowProgramTests
{
    private static readonly SimtSpec A100 = SimtPresets.Load("a100-80gb").Spec;

    [Fact]
    public void A_warp_alone_takes_the_sum_of_its_latencies()
    {
        // 110 cycles of start; one load of 512 B at 64 B per cycle, 400 cycles away, issued at 110: there at 518. 20 instructions in runs of 8, 8 and 4: issued at 518, 526 and
        // 534. The store goes out at 538 and takes 16 cycles at 32 B per cycle: 554.
        CtaProgram program = RowProgram.Of(A100, new RowGrid(1, 32, 32, 1, 0, 0), new RowWork(512, 512, 20, 0, 0, 0));
        Run(program, ctas: 1, resident: 1).Cycles.Should().Be(554);
    }

    [Fact]
    public void Special_functions_hold_their_pipe_for_eight_cycles_each()
    {
        // 64 warp instructions in runs of eight and 16 special ones, two behind each run: at a quarter of a warp per cycle they take 16 x 8 = 128 cycles,
        // the first two issued behind the first eight at 518 + 8 = 526; the last has its result 128 + 14 cycles later. The store has long gone.
        CtaProgram program = RowProgram.Of(A100, new RowGrid(1, 32, 32, 1, 0, 0), new RowWork(512, 32, 64, 16, 0, 0));
        Run(program, ctas: 1, resident: 1).Cycles.Should().Be(526 + 128 + 14);
    }

    [Fact]
    public void A_reduction_is_ten_exchanges_and_two_barriers()
    {
        // Without a second read both passes compute on registers. Beyond a CTA without a reduction: twice five exchanges of a wavefront and 23 cycles, a store to shared memory, a barrier of 16, a load back.
        var work = new RowWork(512, 512, 16, 0, 0, 0);
        long flat = Run(RowProgram.Of(A100, new RowGrid(1, 32, 32, 1, 0, 0), work), 1, 1).Cycles;
        long reduced = Run(RowProgram.Of(A100, new RowGrid(1, 32, 32, 1, 1, 0), work), 1, 1).Cycles;
        (reduced - flat).Should().BeInRange(2 * ((5 * 24) + 16 + 24), (2 * ((5 * 24) + 16 + 24)) + 10);
    }

    [Fact]
    public void Rows_read_again_move_their_bytes_once_per_pass()
    {
        // Two more passes of 2048 B: a quarter comes from L1, 2 x 512 B or 8 wavefronts, the rest from beyond.
        CtaProgram program = RowProgram.Of(A100, new RowGrid(1, 32, 32, 4, 0, 2), new RowWork(2048, 1024, 96, 0, 0.75, 50));
        program.Sum(i => i.Pipe == Pipe.Load ? i.Bytes : 0).Should().Be(2048 + (2 * 1536));
        program.Sum(i => i.Pipe == Pipe.Shared ? i.Wavefronts : 0).Should().Be(2 * 4);
        program.Sum(i => i.Pipe == Pipe.Store ? i.Bytes : 0).Should().Be(1024);
        program.Sum(i => i.Pipe == Pipe.None ? i.Issues : 0).Should().Be(96);
    }

    [Fact]
    public void Both_simulations_agree_on_every_kind_of_kernel()
    {
        (RowGrid Grid, RowWork Work)[] kernels =
        [
            (new(1, 128, 32, 1, 0, 0), new(512, 512, 40, 4, 0, 0)),
            (new(1, 256, 48, 1, 2, 0, 1), new(2048, 2048, 120, 6, 0, 0)),
            (new(1, 128, 32, 5, 1, 1, 1), new(2560, 2560, 130, 0, 0.3, 40)),
            (new(1, 512, 40, 3, 2, 2, 1), new(1536, 1536, 150, 6, 1, 0)),
        ];
        foreach ((RowGrid grid, RowWork work) in kernels)
        {
            CtaProgram program = RowProgram.Of(A100, grid, work);
            CtaBatch[] queue = [new(7, Supply.Of(12, 9, 700))];
            MultiprocessorRun fast = Multiprocessor.Run(WarpCode.Config(A100), program, 3, queue), slow = MultiprocessorReference.Run(WarpCode.Config(A100), program, 3, queue);
            (fast.Cycles, fast.Issued).Should().Be((slow.Cycles, slow.Issued));
            fast.Stack.Should().Equal(slow.Stack);
        }
    }

    [Fact]
    public void Twice_the_rows_take_twice_the_time()
    {
        // Within the differences of single waves; launch apart.
        foreach ((string machine, RowStyle style) in new[] { ("a100-80gb", RowStyle.Fused), ("a100-80gb", RowStyle.Eager), ("h100", RowStyle.Serving) })
        {
            SimtSpec spec = SimtPresets.Load(machine).Spec;
            double Body(long rows)
            {
                RowPlan plan = RowPlan.Of(spec, new Norm("", NormFunction.Rms, rows, 4096) { Type = DataType.Bf16 }, default, style);
                return plan.BodySeconds(plan.Hertz);
            }

            (Body(64_000) / Body(32_000)).Should().BeApproximately(2, 0.05);
        }
    }

    private static MultiprocessorRun Run(CtaProgram program, long ctas, int resident) =>
        Multiprocessor.Run(WarpCode.Config(A100), program, resident, [new CtaBatch(ctas, Supply.Of(64, 32, 400))]);
}
