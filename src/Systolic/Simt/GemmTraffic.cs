namespace Systolic.Simt;

/// <summary>Main-memory reads of a tiled product.</summary>
internal static class GemmTraffic
{
    /// <summary>Each operand once while both fit half of L2 (the other half holds what streams past); else what each wave's patch of tiles needs.</summary>
    /// <param name="spec">The machine.</param>
    /// <param name="problem">The product.</param>
    /// <param name="tile">The kernel.</param>
    /// <param name="tilesPerWave">Output tiles computed at the same time.</param>
    /// <remarks>A patch of R x C tiles, near square in elements, reads (R Tm + C Tn) K; rasterization in groups of rows keeps it so.</remarks>
    public static double Reads(SimtSpec spec, GemmProblem problem, GemmTile tile, double tilesPerWave)
    {
        if (problem.OperandBytes <= spec.L2.Capacity.Value / 2.0)
        {
            return problem.OperandBytes * problem.Batch;
        }

        double tileRows = Math.Ceiling((double)problem.M / tile.M);
        double tileColumns = Math.Ceiling((double)problem.N / tile.N);
        double rows = Math.Clamp(Math.Round(Math.Sqrt(tilesPerWave * tile.N / tile.M)), 1, tileRows);
        double columns = Math.Clamp(tilesPerWave / rows, 1, tileColumns);
        rows = Math.Clamp(tilesPerWave / columns, 1, tileRows);
        double waves = Math.Max(1, tileRows * tileColumns / (rows * columns));
        double perWave = (Math.Min(rows * tile.M, problem.M) + Math.Min(columns * tile.N, problem.N)) * problem.K * problem.ElementBytes;
        return Math.Max(problem.OperandBytes, waves * perWave) * problem.Batch;
    }
}
