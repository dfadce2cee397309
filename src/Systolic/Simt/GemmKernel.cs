using Systolic.Accounting;
using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>Tiled matrix product: the fastest of the library's kernels and splits of K, each simulated warp by warp on the busiest multiprocessor.</summary>
/// <remarks>Time = launch + the busiest multiprocessor's CTAs + split-K reduction. The clock follows from the power cap. Operands count as cold: read from main memory at least once.</remarks>
internal static class GemmKernel
{
    private const int EpilogueInstructions = 4;
    private const int EnoughIssues = 25_000;
    private const int EnoughPlans = 3;

    /// <summary>Prices one product.</summary>
    /// <param name="spec">The machine.</param>
    /// <param name="op">The product.</param>
    /// <param name="tile">Rows and columns of the kernel's tile where it is known which one ran; the fastest of all when null.</param>
    /// <exception cref="CapacityException">No kernel fits the machine, or it lacks the type.</exception>
    public static KernelCost Price(SimtSpec spec, MatMul op, (int M, int N)? tile = null)
    {
        GemmProblem problem = GemmProblem.Of(op, spec);
        GemmChoice choice = Choose(spec, problem, tile);
        var account = new KernelAccount();
        Spend(account, spec, problem, choice);
        Count(account, spec, problem, choice);
        return account.Settle(Describe(problem, choice), PowerCap.Voltage(spec, choice.Hertz));
    }

    /// <summary>The fastest kernel and split, each simulated at the highest clock; those that seem best again at the clock that power allowed.</summary>
    public static GemmChoice Choose(SimtSpec spec, GemmProblem problem, (int M, int N)? only = null)
    {
        double highest = spec.MaximumClock.Hertz;
        IEnumerable<GemmPlan> candidates =
            from tile in GemmTiles.For(spec.TensorCores.Instruction, problem.Rate.OnTensorCores)
            where only is null || only == (tile.M, tile.N)
            from split in GemmTiles.Splits
            from plan in Schedules(spec, GemmPlan.TryCreate(spec, problem, tile, split))
            orderby plan.LikelySeconds(highest)
            select plan;
        var choices = new PriorityQueue<GemmChoice, double>();
        long spent = 0;
        foreach (GemmPlan plan in candidates)
        {
            if (choices.TryPeek(out _, out double best) && GemmChoice.Least(spec, problem, plan) >= best)
            {
                continue;
            }

            if (spent > EnoughIssues && choices.Count >= EnoughPlans)
            {
                break;
            }

            GemmChoice choice = GemmChoice.Of(spec, problem, plan, highest);
            spent += choice.Run.Simulated;
            choices.Enqueue(choice, choice.Seconds);
        }

        while (choices.TryDequeue(out GemmChoice choice, out _))
        {
            if (choice.IsSettled)
            {
                return choice;
            }

            choice = choice.Settle(spec, problem);
            choices.Enqueue(choice, choice.Seconds);
        }

        throw new CapacityException($"{spec.Name}: no GEMM kernel fits a multiprocessor with {spec.Multiprocessor.SharedMemoryPerCta} of shared memory per CTA and {spec.Multiprocessor.Registers} registers.");
    }

    private static IEnumerable<GemmPlan> Schedules(SimtSpec spec, GemmPlan? plan)
    {
        if (plan is not null)
        {
            yield return plan;
        }

        if (spec.StreamK && plan?.Stream() is { } streamed)
        {
            yield return streamed;
        }
    }

    /// <summary>Useful arithmetic at the full rate, multiprocessors idle at the end, launch and reduction; the rest in proportion to what schedulers wait for.</summary>
    private static void Spend(KernelAccount account, SimtSpec spec, GemmProblem problem, in GemmChoice choice)
    {
        GemmPlan plan = choice.Plan;
        double waves = choice.WaveSeconds;
        double useful = problem.UsefulMacs / ((double)spec.Multiprocessors * problem.Rate.MacsPerCycle * choice.Hertz);
        double tail = (waves - useful) * (1 - ((double)plan.Ctas / (plan.Busiest * spec.Multiprocessors)));
        account.Spend(CycleComponent.Launch, choice.Seconds - waves - plan.ReductionSeconds(choice.Hertz));
        account.Spend(CycleComponent.CacheBandwidth, plan.ReductionSeconds(choice.Hertz));
        account.Spend(problem.Rate.OnTensorCores ? CycleComponent.MatrixWork : CycleComponent.Vector, useful);
        account.Spend(CycleComponent.TailWave, tail);
        (double port, double l2, double memory) = plan.ReadRates(plan.Slots, choice.Hertz);
        CycleComponent bytes = memory < Math.Min(port, l2) ? CycleComponent.MemoryBandwidth : CycleComponent.CacheBandwidth;
        account.Stalls(choice.Run.Stack, waves - useful - tail, bytes, lanes: null);
    }

    private static void Count(KernelAccount account, SimtSpec spec, GemmProblem problem, in GemmChoice choice)
    {
        GemmPlan plan = choice.Plan;
        double results = (double)problem.M * problem.N * problem.Batch;
        long executed = checked((long)plan.ExecutedMacs);
        account.Multiply(spec, problem.Rate, executed, Math.Max(0, executed - (long)problem.UsefulMacs), MacsPerWarpInstruction(spec, problem, plan.Tile), choice.Hertz);
        account.Counts.Add(ActivityKind.SharedMemoryByte, checked((long)((double)plan.Tiles * plan.KSteps * plan.Tile.OperandBytes(spec, problem))));
        account.L2(spec, plan.L2Bytes + plan.WrittenBytes + plan.ReductionBytes, choice.Hertz);
        account.Lanes(spec, EpilogueInstructions * results, results, 0, choice.Hertz);
        account.Dram(spec, plan.ReadBytes, plan.WrittenBytes);
    }

    /// <summary>HMMA.884 step of a warp: 256; mma m16n8k16: 2048 at two bytes per element; a warp's quarter of wgmma m64nNk16: 256 N.</summary>
    private static long MacsPerWarpInstruction(SimtSpec spec, GemmProblem problem, GemmTile tile) => spec.TensorCores.Instruction switch
    {
        MatrixInstruction.Hmma => 256,
        MatrixInstruction.MmaSync => 4096 / problem.ElementBytes,
        _ => 512L * Math.Min(tile.N, 256) / problem.ElementBytes,
    };

    private static string Describe(GemmProblem problem, in GemmChoice choice)
    {
        GemmPlan plan = choice.Plan;
        return FormattableString.Invariant(
            $"tile {plan.Tile.M}x{plan.Tile.N}x{plan.Tile.KBytes / problem.ElementBytes}, {plan.Tile.Stages} stages, {(plan.Streamed ? "stream-K" : $"split-K {plan.Split}")}, {plan.Ctas} CTAs, {plan.Resident} per SM, {plan.Waves} waves, {choice.Hertz / 1e9:F2} GHz{(problem.Rate.OnTensorCores ? "" : ", CUDA cores")}");
    }
}
