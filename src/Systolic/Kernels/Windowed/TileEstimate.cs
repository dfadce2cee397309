using Systolic.Accounting;
using Systolic.Hardware;

namespace Systolic.Kernels;

/// <summary>What a compiler believes a tile to cost, which decides the tile and nothing else: apart from the machine, and possibly wrong.</summary>
/// <param name="StepCycles">Believed cost of each tile beside its work.</param>
/// <param name="ConversionCycles">Believed cost to convert a block of an operand, lanes x lanes elements.</param>
/// <param name="SumCycles">Believed cost to add a block of partial sums.</param>
internal sealed record TileEstimate(double StepCycles, double ConversionCycles, double SumCycles)
{
    /// <summary>What explains the choices of the compiler of TPU v4.</summary>
    /// <remarks>
    /// Fitted on all measured products of docs/accuracy.md, together with the preset's conversion costs; the compiler's own figures are not published. It believes a conversion
    /// to cost a fourteenth of what it does, and so repeats too many. It divides K later than the work alone would tell: a loop over K counts as one tile more.
    /// </remarks>
    public static TileEstimate TpuV4 { get; } = new(1010, 9, 18.5);

    /// <summary>The tile with the least estimate; of equal ones the first.</summary>
    /// <exception cref="CapacityException">None fits.</exception>
    public WindowedTile Choose(WindowedProduct product, Accelerator machine) =>
        product.Tiles().Select(tile => ((WindowedTile Tile, double Cycles)?)(tile, Cycles(product, tile, machine))).MinBy(candidate => candidate!.Value.Cycles)?.Tile
        ?? throw new CapacityException(FormattableString.Invariant($"No tile of {product.M}x{product.K}x{product.N} (MxKxN) fits {machine.Name}."));

    /// <summary>The larger of computing and moving, the first load and last store, and what each tile costs beside.</summary>
    public double Cycles(WindowedProduct product, WindowedTile tile, Accelerator machine)
    {
        double lanes = product.Lanes, k = product.K / lanes, m = tile.Rows / lanes, n = tile.Columns / lanes, depth = tile.Contraction / lanes;
        (int coreRows, int coreColumns) = product.OfCore(tile.DividesRows);
        int rows = coreRows / tile.Rows, columns = coreColumns / tile.Columns, steps = product.K / tile.Contraction;
        double results = rows * m * columns * n;
        double block = lanes * lanes * sizeof(short) * machine.Cores / machine.Memory.Bandwidth.BytesPerSecond * machine.TensorEngine.Clock.Hertz;
        double compute = (lanes / machine.TensorEngine.Arrays * results * k) + (ConversionCycles * k * columns * rows * (m + n));
        double moved = results + Math.Min(Fetched(rows * m, columns * n, rows, columns), Fetched(columns * n, rows * m, columns, rows));
        double edges = (depth * (m + n)) + (m * n);
        int tiles = (rows * columns * steps) + (steps > 1 ? 1 : 0);
        return Math.Max(compute, block * moved) + (block * edges) + (StepCycles * tiles) + (SumCycles * results * (steps - 1));

        // Blocks fetched when the tiles of the outer operand change last: a window that stays is not fetched again.
        double Fetched(double outer, double inner, int outerTiles, int innerTiles) =>
            k * ((steps == 1 ? outer : outer * innerTiles) + (steps == 1 && innerTiles == 1 ? inner : inner * outerTiles));
    }
}
