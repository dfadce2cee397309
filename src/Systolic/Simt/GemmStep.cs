using Systolic.Accounting;

namespace Systolic.Simt;

/// <summary>One k step of the CTAs that share a multiprocessor, in cycles, and what bounds it.</summary>
/// <param name="Cycles">Duration of the step for all of them.</param>
/// <param name="Bound">The resource that sets it.</param>
internal readonly record struct GemmStep(double Cycles, CycleComponent Bound)
{
    /// <summary>The step is the largest of four intervals: multiplying (or the shared port that feeds it) with its exposed synchronisation,
    /// the port from L2, the whole L2, and the loaded memory latency that the stages in flight must hide.</summary>
    /// <param name="spec">The machine.</param>
    /// <param name="problem">The product.</param>
    /// <param name="tile">The kernel.</param>
    /// <param name="perMultiprocessor">CTAs on the fullest multiprocessor.</param>
    /// <param name="running">CTAs on all of them.</param>
    public static GemmStep Of(SimtSpec spec, GemmProblem problem, GemmTile tile, long perMultiprocessor, long running)
    {
        double q = perMultiprocessor;
        double fetched = (double)(tile.M + tile.N) * tile.KBytes;
        double multiply = Multiply(spec, problem, tile);
        double shared = SharedBytes(spec, problem, tile) / spec.Multiprocessor.SharedBytesPerCycle;
        double bubble = Bubble(spec, problem) * spec.Multiprocessor.SubCores / tile.Warps;
        double port = Math.Max(q * fetched / spec.Multiprocessor.PortBytesPerCycle, running * L2Bytes(spec, problem, tile) / spec.L2.BytesPerCycle);
        double latency = spec.Memory.LatencyCycles * FittedConstants.LoadedLatency / (tile.Stages - 1);
        double compute = (q * Math.Max(multiply, shared)) + bubble;
        double cycles = Math.Max(compute, Math.Max(port, latency));
        return new GemmStep(cycles, cycles == compute
            ? (shared > multiply ? CycleComponent.ScratchpadConflict : CycleComponent.FillAndDrain)
            : cycles == port ? CycleComponent.CacheBandwidth : CycleComponent.MemoryLatency);
    }

    /// <summary>Cycles in which one CTA keeps its arithmetic units busy.</summary>
    /// <remarks>
    /// CUDA cores: per warp and k, the FMAs at the lane rate, or all instructions at one issue per cycle; 64-lane parts hide shared loads behind
    /// two-cycle FMAs, 128-lane parts cannot.
    /// </remarks>
    private static double Multiply(SimtSpec spec, GemmProblem problem, GemmTile tile)
    {
        double k = (double)tile.KBytes / problem.ElementBytes;
        if (problem.Rate.OnTensorCores)
        {
            return tile.M * tile.N * k / problem.Rate.MacsPerCycle / FittedConstants.IssueShare;
        }

        MultiprocessorSpec sm = spec.Multiprocessor;
        double perThread = (double)tile.M * tile.N / (tile.Warps * 32);
        double lanes = perThread * 32 * sm.SubCores / sm.Fp32Lanes;
        double issue = perThread + (FittedConstants.IssueExtra * Math.Sqrt(perThread / 64));
        return (double)tile.Warps / sm.SubCores * k * Math.Max(lanes, issue);
    }

    /// <summary>Bytes through the shared-memory port per CTA and step: operands to the units, and the fill.</summary>
    /// <remarks>
    /// mma.sync: each warp reads its rows of A and columns of B. wgmma: 64 rows of A and all of B per 64-row instruction, written by TMA outside the port.
    /// CUDA cores keep their thread tiles in registers; their loads are issue slots, counted in <see cref="Multiply"/>.
    /// </remarks>
    public static double SharedBytes(SimtSpec spec, GemmProblem problem, GemmTile tile)
    {
        if (!problem.Rate.OnTensorCores)
        {
            return 2.0 * (tile.M + tile.N) * tile.KBytes;
        }

        return OperandBytes(spec, problem, tile) + (spec.TensorCores.Instruction == MatrixInstruction.Wgmma ? 0 : (double)(tile.M + tile.N) * tile.KBytes);
    }

    /// <summary>Bytes from shared memory to the units per CTA and step.</summary>
    public static double OperandBytes(SimtSpec spec, GemmProblem problem, GemmTile tile) => !problem.Rate.OnTensorCores
        ? (double)(tile.M + tile.N) * tile.KBytes
        : spec.TensorCores.Instruction == MatrixInstruction.Wgmma
            ? tile.M / 64.0 * (64 + tile.N) * tile.KBytes
            : (double)tile.M * tile.N * tile.KBytes * ((1.0 / tile.WarpM) + (1.0 / tile.WarpN));

    /// <summary>Bytes read from L2 per CTA and step; in a Hopper pair the operand that both need crosses once.</summary>
    public static double L2Bytes(SimtSpec spec, GemmProblem problem, GemmTile tile) =>
        problem.Rate.OnTensorCores && spec.TensorCores.Instruction == MatrixInstruction.Wgmma
            ? (Math.Min(tile.M, tile.N) + (Math.Max(tile.M, tile.N) / 2.0)) * tile.KBytes
            : (double)(tile.M + tile.N) * tile.KBytes;

    private static double Bubble(SimtSpec spec, GemmProblem problem) => (problem.Rate.OnTensorCores, spec.TensorCores.Instruction) switch
    {
        (false, _) => FittedConstants.SimtBubble,
        (_, MatrixInstruction.Hmma) => FittedConstants.StagedBubble,
        _ => FittedConstants.AsyncBubble,
    };
}
