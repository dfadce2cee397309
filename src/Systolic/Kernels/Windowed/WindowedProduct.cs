using Systolic.Accounting;
using Systolic.Hardware;

namespace Systolic.Kernels;

/// <summary>A product [M, K] x [K, N] as a machine stores it: K and N padded to the lanes, M to the elements of a lane, transposed where that pads less.</summary>
internal sealed record WindowedProduct
{
    /// <summary>Rows that are divided no further.</summary>
    private const int RowUnit = 64;

    private readonly Accelerator _machine;

    /// <summary>The padded product of given sizes.</summary>
    public WindowedProduct(Accelerator machine, int m, int k, int n)
    {
        _machine = machine;
        (int Rows, int Lanes) straight = (Padded(m), Blocks(n)), turned = (Padded(n), Blocks(m));
        (M, N) = (long)turned.Rows * turned.Lanes < (long)straight.Rows * straight.Lanes ? turned : straight;
        (N, K) = (N * Lanes, Blocks(k) * Lanes);
    }

    /// <summary>Rows of the result.</summary>
    public int M { get; }

    /// <summary>The contraction.</summary>
    public int K { get; }

    /// <summary>Columns of the result, on the lanes.</summary>
    public int N { get; }

    /// <summary>Lanes, which are the rows and columns of the array.</summary>
    public int Lanes => _machine.Sbuf.Partitions;

    /// <summary>Column blocks that are converted and multiplied together: the arrays share them in pairs, each taking every other block of K.</summary>
    public int PanelColumns => Math.Max(1, _machine.TensorEngine.Arrays / 2);

    /// <summary>Every tile that divides a core's part of the product evenly and fits, with both ways to divide the product over the cores.</summary>
    /// <remarks>Fits: one window of each operand in 16 bits and one result in fp32; and what the program holds of them at once, with what is on its way.</remarks>
    public IEnumerable<WindowedTile> Tiles() =>
        from dividesRows in (bool[])[true, false]
        let part = OfCore(dividesRows)
        from rows in part.Rows < Lanes ? [part.Rows] : Divisors(part.Rows, RowUnit)
        from columns in Divisors(part.Columns, Lanes)
        from contraction in Divisors(K, Lanes)
        where Fits(rows, columns, contraction)
        select new WindowedTile(rows, columns, contraction, dividesRows);

    /// <summary>Rows and columns of the core that has most: the cores divide blocks of lanes.</summary>
    public (int Rows, int Columns) OfCore(bool dividesRows) => dividesRows ? (Share(M), N) : (M, Share(N));

    /// <summary>The tile divides the product and fits.</summary>
    /// <exception cref="CapacityException">It does not.</exception>
    public void Require(WindowedTile tile)
    {
        if (!Tiles().Contains(tile))
        {
            throw new CapacityException(FormattableString.Invariant(
                $"Tile {tile.Rows}x{tile.Contraction}x{tile.Columns} (MxKxN) does not divide {M}x{K}x{N}, padded, or does not fit {_machine.Name}: its operands in 16 bits and its result in fp32 need a place in {_machine.Sbuf.Capacity} of the scratchpad. Let the compiler's estimate choose, or take a smaller divisor."));
        }
    }

    /// <summary>Rows of a register.</summary>
    private int Registers => _machine.VectorEngine.Registers?.ElementsPerLane ?? 1;

    private bool Fits(int rows, int columns, int contraction)
    {
        int panels = Math.Min(columns, WindowedMatMul.Copies * PanelColumns * Lanes);
        long sums = 4L * rows * columns, windows = (2L * contraction * (rows + columns)) + sums, held = (2L * contraction * (rows + panels)) + sums + WindowedMatMul.StagingBytes(Lanes);
        return Math.Max(windows, held) <= _machine.Sbuf.Capacity.Value && rows * Math.Min(columns / Lanes, PanelColumns) <= _machine.Psum.PartitionSize.Value / sizeof(float);
    }

    private int Share(int size) => Math.Min(size, (Blocks(size) + _machine.Cores - 1) / _machine.Cores * Lanes);

    private int Blocks(int size) => (size + Lanes - 1) / Lanes;

    private int Padded(int rows)
    {
        int unit = rows > Lanes ? RowUnit : Registers;
        return (rows + unit - 1) / unit * unit;
    }

    private static IEnumerable<int> Divisors(int size, int unit) =>
        Enumerable.Range(1, size / unit).Where(part => size / unit % part == 0).Select(part => part * unit);
}
