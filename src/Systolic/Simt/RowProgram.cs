namespace Systolic.Simt;

/// <summary>What one warp of a row kernel moves and computes.</summary>
/// <param name="ReadBytes">Bytes of a pass over its input.</param>
/// <param name="WrittenBytes">Bytes that it writes.</param>
/// <param name="Instructions">Warp instructions, special functions apart.</param>
/// <param name="Special">Warp instructions of special functions.</param>
/// <param name="MissesL1">Share of later passes that L1 no longer holds.</param>
/// <param name="AgainCycles">What such a miss takes beyond a load of the first pass, in cycles.</param>
internal readonly record struct RowWork(double ReadBytes, double WrittenBytes, double Instructions, double Special, double MissesL1, double AgainCycles);

/// <summary>A CTA of a row kernel as warp programs: load, compute and, between passes, reduce over the block.</summary>
/// <remarks>All warps do alike. A pass over the input is a loop of its trips, a pass over registers has one; the last pass stores. Passes share the instructions of an element evenly.</remarks>
internal static class RowProgram
{
    /// <summary>From the launch of a CTA to its first load.</summary>
    public const int StartCycles = 110;

    private const int Exchanges = 5; // halves of 32 lanes
    private const int ExchangeBytes = 128;
    private const int Loaded = 0; // scoreboard of loads

    /// <summary>The CTA of a grid.</summary>
    public static CtaProgram Of(SimtSpec spec, RowGrid grid, RowWork work)
    {
        var code = new WarpCode(spec, default, elementBytes: 1);
        int passes = 1 + Math.Max(grid.Reductions, grid.Rereads);
        code.Setup(StartCycles);
        List<WarpSegment> segments = [code.Take()];
        for (int pass = 0; pass < passes; pass++)
        {
            int trips = pass <= grid.Rereads ? (int)grid.Trips : 1;
            double read = work.ReadBytes / trips, missed = work.MissesL1 * read;
            if (pass == 0)
            {
                code.Load(read, Loaded);
            }
            else if (pass <= grid.Rereads)
            {
                Again(code, read - missed, missed, work.AgainCycles);
            }

            code.Compute(work.Instructions / passes / trips, work.Special / passes / trips, Loaded);
            if (pass == passes - 1)
            {
                code.Store(work.WrittenBytes / trips);
            }

            segments.Add(code.Take(trips));
            if (pass < grid.Reductions)
            {
                Reduce(code);
                segments.Add(code.Take());
            }
        }

        return new CtaProgram([.. Enumerable.Repeat(new WarpProgram(segments), grid.Warps)], [new BarrierSpec(grid.Warps)], grid.Registers);
    }

    private static void Again(WarpCode code, double held, double missed, double later)
    {
        if (held > 0)
        {
            code.LoadL1(held, Loaded);
        }

        if (missed > 0)
        {
            code.Load(missed, Loaded, later);
        }
    }

    /// <summary>Lanes of a warp, then warps through shared memory: five exchanges each, and a barrier behind either.</summary>
    private static void Reduce(WarpCode code)
    {
        for (int half = 0; half < 2; half++)
        {
            for (int exchange = 0; exchange < Exchanges; exchange++)
            {
                code.Shared(ExchangeBytes, sets: WarpCode.Values, waits: 1 << WarpCode.Values);
            }

            code.Shared(ExchangeBytes, waits: 1 << WarpCode.Values);
            code.Sync();
            code.Shared(ExchangeBytes, sets: WarpCode.Values);
        }

        code.Wait(WarpCode.Values);
    }
}
