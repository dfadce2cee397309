using CsCheck;
using Systolic.Simt;

namespace Systolic.Tests.Simt.Warps;

/// <summary>The fast simulation of a multiprocessor against the one that asks every warp in every cycle.</summary>
public sealed class MultiprocessorTests
{
    private static readonly MultiprocessorConfig Config = new();
    private static readonly Supply Plenty = new(1, 1, 10);

    [Fact]
    public void Every_instruction_of_random_warps_issues_in_the_same_cycle() =>
        Gen.Select(RandomWarps.Configs, RandomWarps.Ctas(4), Gen.Int[1, 3], RandomWarps.Queues).Sample(
            (config, program, resident, queue) =>
            {
                List<WarpIssue> fast = [], slow = [];
                MultiprocessorRun one = Multiprocessor.Run(config, program, resident, queue, fast);
                MultiprocessorRun other = MultiprocessorReference.Run(config, program, resident, queue, slow);
                return fast.SequenceEqual(slow) && Same(one, other);
            },
            iter: 300);

    [Fact]
    public void Skipped_periods_change_no_end_no_count_and_no_stack() =>
        Gen.Select(RandomWarps.Configs, RandomWarps.Ctas(60), Gen.Int[1, 3], RandomWarps.Queues).Sample(
            (config, program, resident, queue) => Same(Multiprocessor.Run(config, program, resident, queue), MultiprocessorReference.Run(config, program, resident, queue)),
            iter: 60);

    [Fact]
    public void Scheduler_cycles_sum_to_four_times_the_time() =>
        Gen.Select(RandomWarps.Ctas(20), RandomWarps.Queues).Sample((program, queue) =>
        {
            MultiprocessorRun run = Multiprocessor.Run(Config, program, 2, queue);
            return run.Stack.Sum() == 4 * run.Cycles;
        });

    [Fact]
    public void A_chain_of_fused_multiply_adds_goes_on_every_four_cycles_and_four_warps_hide_it()
    {
        // 16 lanes take a warp in 2 cycles, the result is there after 4. One warp: 100 x 4. Four on one sub-core: the first to issue again after 4 cycles
        // finds the pipe busy with three others until cycle 8, so 400 instructions x 2.
        WarpInstruction[] chain = [new(Pipe.Fp32, 2, 2) { Stall = 4 }];
        Cycles(chain, 100, warps: 1).Should().Be(100 * 4);
        Cycles(chain, 100, warps: 13).Should().BeCloseTo(4 * 100 * 2, 8); // warps 0, 4, 8 and 12 share a sub-core
    }

    [Fact]
    public void The_shared_port_serves_one_wavefront_per_cycle_for_all_sub_cores()
    {
        // Four warps x 50 loads of 4 wavefronts; the last is there 20 cycles after its turn.
        Cycles([new(Pipe.Shared, Latency: 20) { Wavefronts = 4 }], 50, warps: 4).Should().Be((4 * 50 * 4) + 20);
    }

    [Fact]
    public void Bytes_come_at_the_rate_of_the_supply_after_its_latency()
    {
        // 64 loads of 512 B at 32 B per cycle: 16 cycles each, then 300.
        var program = new CtaProgram([new WarpProgram([new([new(Pipe.Load) { Bytes = 512 }], 64)])], []);
        Multiprocessor.Run(Config, program, 1, [new(1, Supply.Of(32, 32, 300))]).Cycles.Should().Be((64 * 16) + 300);
    }

    [Fact]
    public void A_long_loop_costs_no_more_than_its_first_iterations()
    {
        MultiprocessorRun run = Multiprocessor.Run(Config, new CtaProgram([new WarpProgram([new([new(Pipe.Tensor, 8, 10) { Sets = 0, Waits = 1 }], 1_000_000)])], []), 2, [new(3, Plenty)]);
        // 8 + 10 cycles each. Two CTAs run at once on sub-cores of their own; the third starts when a pipe is free, not when the last result is there.
        run.Cycles.Should().Be((2 * 18_000_000) - 10);
        run.Issued.Should().Be(3_000_000);
        run.Simulated.Should().BeLessThan(100);
    }

    [Theory]
    [InlineData(nameof(WarpScheduling.GreedyThenOldest), "AAAABBBB")]
    [InlineData(nameof(WarpScheduling.RoundRobin), "ABABABAB")]
    public void A_scheduler_stays_with_its_warp_or_turns(string rule, string order)
    {
        List<WarpIssue> trace = [];
        var program = new WarpProgram([new([new(Pipe.None)], 4)]);
        Multiprocessor.Run(Config with { SubCores = 1, Scheduling = Enum.Parse<WarpScheduling>(rule) }, new CtaProgram([program, program], []), 1, [new(1, Plenty)], trace);
        string.Concat(trace.Select(issue => "AB"[issue.Warp])).Should().Be(order);
    }

    // The example of docs/simt.md.
    [Fact]
    public void Two_warps_load_and_multiply_as_by_hand()
    {
        WarpInstruction load = new(Pipe.Shared, Latency: 23) { Wavefronts = 4, Sets = 0 }, multiply = new(Pipe.Tensor, 8, 17) { Waits = 1 };
        List<WarpIssue> trace = [];
        MultiprocessorRun run = Multiprocessor.Run(Config, new CtaProgram([.. Enumerable.Repeat(new WarpProgram([new([load, multiply], 2)]), 2)], []), 1, [new(1, Plenty)], trace);

        trace.Select(issue => (issue.Warp, issue.Cycle)).Should().Equal((0, 0), (1, 0), (0, 27), (0, 28), (1, 31), (1, 32), (0, 55), (1, 59));
        run.Cycles.Should().Be(84);
        run.Stack[(int)WarpStall.Issue].Should().Be(8);
        run.Stack[(int)WarpStall.Shared].Should().Be(26 + 30 + 26 + 26);
        run.Stack[(int)WarpStall.Idle].Should().Be((84 - 56) + (84 - 60) + 84 + 84);
    }

    [Fact]
    public void Warps_that_wait_for_ever_are_refused_by_both()
    {
        var program = new CtaProgram([new WarpProgram([new([new(Pipe.None) { Use = BarrierUse.Wait }])])], [new BarrierSpec(1)]);
        foreach (Action run in new Action[] { () => Multiprocessor.Run(Config, program, 1, [new(1, Plenty)]), () => MultiprocessorReference.Run(Config, program, 1, [new(1, Plenty)]) })
        {
            run.Should().Throw<InvalidOperationException>().WithMessage("A CTA of 1 warps waits for a barrier phase that never completes.*");
        }
    }

    private static long Cycles(WarpInstruction[] body, int count, int warps) =>
        Multiprocessor.Run(Config, new CtaProgram([.. Enumerable.Repeat(new WarpProgram([new(body, count)]), warps)], []), 1, [new(1, Plenty)]).Cycles;

    private static bool Same(MultiprocessorRun one, MultiprocessorRun other) =>
        (one.Cycles, one.Issued) == (other.Cycles, other.Issued) && one.Stack.SequenceEqual(other.Stack);
}
