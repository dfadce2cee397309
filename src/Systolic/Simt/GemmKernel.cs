using Systolic.Accounting;
using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>Tiled matrix product: the fastest of the library's kernels and splits of K.</summary>
/// <remarks>
/// Time = launch + waves + split-K reduction. A wave is all k steps (<see cref="GemmStep"/>) joined with its share of main-memory traffic; the first one also
/// shows its fill and epilogue whole, later ones overlap them with the other CTAs of the multiprocessor. The clock follows from the power cap.
/// Operands count as cold: read from main memory at least once.
/// </remarks>
internal static class GemmKernel
{
    private const int EpilogueInstructions = 4;

    /// <summary>Prices one product.</summary>
    /// <exception cref="CapacityException">No kernel fits the machine, or it lacks the type.</exception>
    public static KernelCost Price(SimtSpec spec, MatMul op)
    {
        GemmProblem problem = GemmProblem.Of(op, spec);
        GemmPlan plan = Choose(spec, problem, out double hertz);
        var account = new KernelAccount();
        Spend(account, spec, problem, plan, hertz);
        Count(account, spec, problem, plan, hertz);
        return account.Settle(Describe(problem, plan, hertz), PowerCap.Voltage(spec, hertz));
    }

    /// <summary>The fastest kernel and split; at equal times the earlier in the list.</summary>
    public static GemmPlan Choose(SimtSpec spec, GemmProblem problem, out double hertz)
    {
        double best = double.PositiveInfinity;
        GemmPlan chosen = default;
        hertz = 0;
        foreach (GemmTile tile in GemmTiles.For(spec.TensorCores.Instruction, problem.Rate.OnTensorCores))
        {
            foreach (int split in GemmTiles.Splits)
            {
                // The time at the highest clock bounds the plan from below, so most need no clock of their own.
                if (!GemmPlan.TryCreate(spec, problem, tile, split, out GemmPlan plan) || plan.SecondsAt(spec.MaximumClock.Hertz) >= best)
                {
                    continue;
                }

                double clock = PowerCap.Clock(spec, plan, plan.ReadBytes + plan.WrittenBytes, Fp16Flops(problem, plan));
                double seconds = plan.SecondsAt(clock);
                if (seconds < best)
                {
                    (best, chosen, hertz) = (seconds, plan, clock);
                }
            }
        }

        return chosen.Tile is null
            ? throw new CapacityException($"{spec.Name}: no GEMM kernel fits a multiprocessor with {spec.Multiprocessor.SharedMemoryPerCta} of shared memory per CTA and {spec.Multiprocessor.Registers} registers.")
            : chosen;
    }

    private static double Fp16Flops(GemmProblem problem, in GemmPlan plan) =>
        2 * plan.ExecutedMacs(problem) * FittedConstants.RelativeEnergy(problem.Rate.Executed);

    private static void Spend(KernelAccount account, SimtSpec spec, GemmProblem problem, in GemmPlan plan, double hertz)
    {
        var time = new JoinedTime(plan.WaveSeconds(hertz), plan.ComputeCycles / hertz, plan.MemorySeconds);
        double scale = time.ComputeScale / hertz;
        double perCycle = (double)spec.Multiprocessors * problem.Rate.MacsPerCycle;
        double useful = problem.UsefulMacs / perCycle;
        double padded = Math.Max(useful, plan.ExecutedMacs(problem) / perCycle);
        double balanced = plan.BalancedCycles(spec.Multiprocessors);
        account.Spend(CycleComponent.Launch, spec.Launch.Cost.Seconds);
        account.Spend(CycleComponent.MemoryBandwidth, time.MemoryPart);
        account.Spend(problem.Rate.OnTensorCores ? CycleComponent.MatrixWork : CycleComponent.Vector, useful * scale);
        account.Spend(CycleComponent.FillAndDrain, (plan.ComputeCycles - plan.LoopCycles + padded - useful) * scale);
        account.Spend(CycleComponent.TailWave, (plan.LoopCycles - balanced) * scale);
        account.Spend(plan.Bound, (balanced - padded) * scale);
        account.Spend(CycleComponent.CacheBandwidth, plan.ReductionSeconds(hertz));
    }

    private static void Count(KernelAccount account, SimtSpec spec, GemmProblem problem, in GemmPlan plan, double hertz)
    {
        double ctaSteps = (double)plan.Tiles * plan.KSteps;
        double results = (double)problem.M * problem.N * problem.Batch;
        long executed = checked((long)plan.ExecutedMacs(problem));
        account.Multiply(spec, problem.Rate, executed, Math.Max(0, executed - (long)problem.UsefulMacs), MacsPerWarpInstruction(spec, problem, plan.Tile), hertz);
        account.Counts.Add(ActivityKind.SharedMemoryByte, checked((long)(ctaSteps * GemmStep.OperandBytes(spec, problem, plan.Tile))));
        account.L2(spec, (ctaSteps * GemmStep.L2Bytes(spec, problem, plan.Tile)) + plan.WrittenBytes + plan.ReductionBytes, hertz);
        account.Lanes(spec, EpilogueInstructions * results, results, 0, hertz);
        account.Dram(spec, plan.ReadBytes, plan.WrittenBytes);
    }

    /// <summary>HMMA.884 step of a warp: 256; mma m16n8k16: 2048 at two bytes per element; a warp's quarter of wgmma m64nNk16: 256 N.</summary>
    private static long MacsPerWarpInstruction(SimtSpec spec, GemmProblem problem, GemmTile tile) => spec.TensorCores.Instruction switch
    {
        MatrixInstruction.Hmma => 256,
        MatrixInstruction.MmaSync => 4096 / problem.ElementBytes,
        _ => 512L * Math.Min(tile.N, 256) / problem.ElementBytes,
    };

    private static string Describe(GemmProblem problem, in GemmPlan plan, double hertz) => FormattableString.Invariant(
        $"tile {plan.Tile.M}x{plan.Tile.N}x{plan.Tile.KBytes / problem.ElementBytes}, {plan.Tile.Stages} stages, split-K {plan.Split}, {plan.Tiles * plan.Split} CTAs, {plan.Resident} per SM, {plan.Waves} waves, {hertz / 1e9:F2} GHz{(problem.Rate.OnTensorCores ? "" : ", CUDA cores")}");
}
