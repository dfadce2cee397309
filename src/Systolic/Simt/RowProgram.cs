namespace Systolic.Simt;

/// <summary>A row kernel's CTA as warp programs: load, compute and, between passes, reduce over the block.</summary>
internal static class RowProgram
{
    private const int CtaStartCycles = 110;
    private const int ShuffleSteps = 5;
    private const int Loaded = 0; // scoreboard of loads

    /// <summary>Every warp does its part of all trips of all passes.</summary>
    /// <param name="spec">The machine.</param>
    /// <param name="grid">How the operator is dealt to thread blocks.</param>
    /// <param name="work">What one warp moves and computes.</param>
    public static CtaProgram Of(SimtSpec spec, RowGrid grid, RowWork work)
    {
        var code = new WarpCode(spec, default, 1);
        int warps = (grid.Threads + 31) / 32, passes = 1 + Math.Max(grid.Reductions, grid.Rereads), trips = (int)grid.Trips;
        int visits = (1 + grid.Rereads) * trips; // trips with loads; passes over registers compute at once
        var segments = new List<WarpSegment>();
        code.Setup(CtaStartCycles);
        segments.Add(code.Take());
        for (int pass = 0; pass < passes; pass++)
        {
            bool reads = pass <= grid.Rereads, last = pass == passes - 1;
            int count = reads ? trips : 1;
            if (pass == 0)
            {
                code.Load(work.ReadBytes / trips, Loaded);
            }
            else if (reads)
            {
                code.Reload(work.ReadBytes / trips, work.MissesL1, work.AgainLatency, Loaded);
            }

            double share = 1.0 / passes / count;
            code.Issue(work.Instructions * share, waits: 1 << Loaded);
            code.Run(Pipe.Special, work.Special * share);
            if (last && work.WrittenBytes > 0)
            {
                code.Store(work.WrittenBytes / count);
            }

            segments.Add(code.Take(count));
            if (pass < grid.Reductions)
            {
                Reduce(code);
                segments.Add(code.Take());
            }
        }

        return new CtaProgram([.. Enumerable.Repeat(new WarpProgram(segments), warps)], [new BarrierSpec(warps)], grid.Registers);
    }

    /// <summary>Lanes of a warp, then warps through shared memory, each in five exchanges.</summary>
    private static void Reduce(WarpCode code)
    {
        for (int half = 0; half < 2; half++)
        {
            for (int step = 0; step < ShuffleSteps; step++)
            {
                code.Shared(128, sets: WarpCode.Values, waits: 1 << WarpCode.Values);
            }

            code.Wait(WarpCode.Values);
            code.Shared(128);
            code.Sync();
            code.Shared(128, sets: WarpCode.Values);
        }

        code.Wait(WarpCode.Values);
    }
}

/// <summary>What one warp of a row kernel moves and computes.</summary>
/// <param name="ReadBytes">Bytes of a pass.</param>
/// <param name="WrittenBytes">Bytes written.</param>
/// <param name="Instructions">Warp instructions, special functions apart.</param>
/// <param name="Special">Warp instructions of special functions.</param>
/// <param name="MissesL1">Share of later passes that L1 no longer holds.</param>
/// <param name="AgainLatency">Cycles that such a miss takes beyond those of the first pass.</param>
internal readonly record struct RowWork(double ReadBytes, double WrittenBytes, double Instructions, double Special, double MissesL1, double AgainLatency);
