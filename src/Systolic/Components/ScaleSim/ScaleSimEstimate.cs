namespace Systolic.Components;

/// <summary>DRAM reads of an operand in CALC mode: words are collected up to just under half the SRAM, then all thrown away at once.</summary>
/// <param name="Reads">Words that were not held when asked for.</param>
/// <param name="FirstCycle">Cycle of the first read, before cycle 0.</param>
/// <param name="LastCycle">Cycle of the last read.</param>
internal readonly record struct ScaleSimEstimate(long Reads, long FirstCycle, long LastCycle)
{
    private const long Granules = 100;
    private const long Bandwidth = 10;

    /// <summary>The reads of an operand.</summary>
    public static ScaleSimEstimate Of(long kibibytes, ScaleSimOperand operand, ScaleSimPixels? pixels, long touchedPixels, long cycles)
    {
        long granule = 1024 * kibibytes / Granules;
        long capacity = Granules / 2 * granule;
        if (pixels is null)
        {
            (long reads, long lastFill) = OfBlocks(operand, capacity);
            return Place(reads, lastFill < 0 ? -1 : operand.CycleOf(lastFill), operand.FirstCycle, granule);
        }

        (long missed, long fillCycle) = touchedPixels < capacity ? (touchedPixels, -1) : OfPixels(operand, pixels, capacity, cycles);
        return Place(missed, fillCycle, operand.FirstCycle, granule);
    }

    private static ScaleSimEstimate Place(long reads, long fillCycle, long firstRequest, long granule) => fillCycle >= 0
        ? new(reads, firstRequest - ScaleSimCeiling.Of(Granules / 2 * granule, Bandwidth), fillCycle + 1)
        : new(reads, -ScaleSimCeiling.Of(ScaleSimCeiling.Of(reads, granule) * granule, Bandwidth), -1);

    // Any run of requests no longer than the block asks for different words, so a fill is found by counting. Returns the reads and the request that fills last.
    private static (long Reads, long LastFill) OfBlocks(ScaleSimOperand operand, long capacity)
    {
        (long reads, long held, long made, long lastFill) = (0, 0, 0, -1);
        foreach ((long words, long times) in operand.Passes)
        {
            long left = words * times;
            while (left > 0)
            {
                long different = Math.Min(left, words);
                if (held + different < capacity)
                {
                    (reads, held, made, left) = (reads + different, held + different, made + left, 0);
                    continue;
                }

                long further = words >= capacity ? (left - (capacity - held)) / capacity * capacity : 0;
                long taken = capacity - held + further;
                (reads, made, left, held) = (reads + taken, made + taken, left - taken, 0);
                lastFill = made - 1;
            }
        }

        return (reads, lastFill);
    }

    // Windows overlap: which pixels are held is marked by the number of the fill they came after.
    private static (long Reads, long FillCycle) OfPixels(ScaleSimOperand operand, ScaleSimPixels pixels, long capacity, long cycles)
    {
        int[] seenIn = new int[pixels.Count];
        (long reads, long held, int fill, long fillCycle) = (0, 0, 1, -1);
        for (long cycle = 0; cycle < cycles; cycle++)
        {
            ScaleSimRequests requests = operand.At(cycle);
            for (long lane = 0; lane < requests.Count; lane++)
            {
                long word = pixels.Address(requests.Along + (lane * requests.Step), requests.Across + lane);
                if (word < 0 || seenIn[word] == fill)
                {
                    continue;
                }

                (seenIn[word], reads, held) = (fill, reads + 1, held + 1);
                if (held == capacity)
                {
                    (held, fill, fillCycle) = (0, fill + 1, cycle);
                }
            }
        }

        return (reads, fillCycle);
    }
}
