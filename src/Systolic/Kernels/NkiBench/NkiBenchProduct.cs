using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>The products of NKIBench (matmul, bmm, transpose_matmul), fp32: result[M, N] = left x right[K, N] for each of a batch.</summary>
/// <remarks>
/// 1,024 columns of the result at a time, in blocks of rows; left by row is transposed through the array. The left operand of a block of rows is loaded once where it fits SBUF beside the right
/// one, else for every 1,024 columns; the right operand stays for a block of rows where it fits, else it is loaded again for every 128 rows (HBM bytes of the published profiles).
/// </remarks>
internal sealed class NkiBenchProduct
{
    private const int Width = 1024;
    private const int Ahead = 4;
    private const int Results = 3;
    private const DataType Type = DataType.Fp32;
    private readonly KernelBuilder _kernel;
    private readonly bool _byK;
    private readonly int _m;
    private readonly int _k;
    private readonly int _block;
    private readonly int _depth;
    private readonly int _steps;
    private readonly ColumnTiling _columns;
    private readonly MemoryTensor _leftTensor;
    private readonly MemoryTensor _rightTensor;
    private readonly ArrayBanks _banks;
    private readonly TileBuffer? _staging;
    private readonly TileBuffer _left;
    private readonly TileBuffer _right;
    private readonly bool _holdsLeft;
    private readonly bool _holdsRight;
    private readonly int _perTile;
    private long _staged;
    private long _leftFirst;
    private long _leftNext;
    private long _rightFirst;
    private long _rightNext;

    /// <param name="kernel">The kernel.</param>
    /// <param name="batch">Products.</param>
    /// <param name="m">Rows of each.</param>
    /// <param name="k">Contraction of each.</param>
    /// <param name="n">Columns of each.</param>
    /// <param name="byK">The left operand is given as [K, M], and slice i of K are its rows i, i + K/128, ...; otherwise it is given as [M, K].</param>
    /// <param name="block">Rows of the result for which an operand is kept.</param>
    public NkiBenchProduct(KernelBuilder kernel, int batch, int m, int k, int n, bool byK, int block)
    {
        (_kernel, _byK, _m, _k, _block) = (kernel, byK, m, k, Math.Min(block, m));
        _depth = Math.Min(kernel.Partitions, k);
        _steps = k / _depth;
        if (k % _depth != 0 || m % _block != 0 || _block % kernel.Partitions != 0)
        {
            throw new ArgumentException(FormattableString.Invariant($"Found M = {m}, K = {k}, expected multiples of {_block} (whole rows of {kernel.Partitions}) and {_depth}."), nameof(m));
        }

        _columns = new ColumnTiling(n, Width);
        _leftTensor = byK ? kernel.Input("left", k, m, Type) : kernel.Input("left", (long)batch * m, k, Type);
        _rightTensor = kernel.Input("right", (long)batch * k, n, Type);
        _banks = new ArrayBanks(kernel);
        int piece = Math.Min(k, Width);
        _staging = byK ? null : kernel.Sbuf("rows to transpose", piece, Type, Ahead);
        _perTile = piece / _depth;
        int size = Type.ByteSize();
        long right = (long)_steps * Width * size, free = kernel.FreeSbuf - (byK ? 0 : kernel.Partitions * size);
        long heldLeft = (long)_block * _steps * size;
        _holdsLeft = heldLeft + right <= free;
        (int tileElements, int tiles) = byK ? (_block, _steps) : (_perTile * kernel.Partitions, (_holdsLeft ? _block / kernel.Partitions : 1) * _steps / _perTile);
        long left = (long)tiles * tileElements * size;
        int sets = (2 * left) + right <= free || !_holdsLeft ? 2 : 1;
        _left = kernel.Sbuf("left", tileElements, Type, sets * tiles);
        free -= sets * left;
        _holdsRight = right <= free;
        _right = kernel.Sbuf("right", Width, Type, (int)Math.Min(free / (Width * size), 2L * _steps));
    }

    /// <summary>Writes the whole kernel.</summary>
    public static Program Write(KernelBuilder kernel, int batch, int m, int k, int n, bool byK, int block)
    {
        MemoryTensor result = kernel.Output("result", (long)batch * m, n, Type);
        TileBuffer results = kernel.Sbuf("results", Width, Type, Results);
        var product = new NkiBenchProduct(kernel, batch, m, k, n, byK, block);
        long stored = 0;
        for (int b = 0; b < batch; b++)
        {
            product.Write(b, (row, column, sums) =>
            {
                TileView target = results[stored++][.., ..sums.Sum(sum => sum.Elements)];
                for (int i = 0; i < sums.Length; i++)
                {
                    kernel.Copy(StreamId.Scalar, target.Columns(i * kernel.BankColumns, sums[i].Elements), sums[i]);
                }

                kernel.Store(StreamId.QueueStores, result.Part(row, kernel.Partitions, column, target.Elements), target);
            });
        }

        return kernel.Build();
    }

    /// <summary>Writes one product of the batch.</summary>
    /// <param name="batch">Its number.</param>
    /// <param name="finish">Takes the sums of 128 rows (first row over the batch, first column, a bank after the other).</param>
    public void Write(int batch, Action<long, long, TileView[]> finish)
    {
        int height = _kernel.Partitions;
        for (int block = 0; block < _m; block += _block)
        {
            if (_holdsLeft)
            {
                LoadLeft(batch, block, _block);
            }

            for (int piece = 0; piece < _columns.Pieces; piece++)
            {
                if (_holdsRight)
                {
                    LoadRight(batch, piece);
                }

                for (int row = block; row < block + _block; row += height)
                {
                    if (!_holdsLeft)
                    {
                        LoadLeft(batch, row, height);
                    }

                    if (!_holdsRight)
                    {
                        LoadRight(batch, piece);
                    }

                    finish(((long)batch * _m) + row, _columns.Start(piece), Multiply(_holdsLeft ? row - block : 0, _columns[piece]));
                }
            }
        }
    }

    private TileView[] Multiply(int row, int width)
    {
        var halves = new ColumnTiling(width, _kernel.BankColumns);
        TileView[] sums = [.. Enumerable.Range(0, halves.Pieces).Select(half => _banks.Sum(_kernel.Partitions, halves[half]))];
        for (int i = 0; i < _steps; i++)
        {
            TileView left = Left(row, i), right = _right[_rightFirst + i][.._depth, ..width];
            for (int half = 0; half < sums.Length; half++)
            {
                _kernel.MatMul(sums[half], left, right.Columns((int)halves.Start(half), halves[half]), i > 0);
            }
        }

        return sums;
    }

    private TileView Left(int row, int step)
    {
        int height = _kernel.Partitions;
        if (_byK)
        {
            return _left[_leftFirst + step][.._depth, row..(row + height)];
        }

        (int tile, int square) = Math.DivRem((row / height * _steps) + step, _perTile);
        return _left[_leftFirst + tile][.._depth, (square * height)..((square + 1) * height)];
    }

    private void LoadLeft(int batch, int row, int rows)
    {
        _leftFirst = _leftNext;
        if (_byK)
        {
            for (int i = 0; i < _steps; i++)
            {
                _kernel.Load(StreamId.QueueActivations, _left[_leftNext++][.._depth, ..rows], Slice(_leftTensor, 0, i, row, rows));
            }

            return;
        }

        int piece = _perTile * _depth;
        for (int i = row; i < row + rows; i += _kernel.Partitions)
        {
            for (int k = 0; k < _k; k += piece)
            {
                Tile staged = _staging![_staged++];
                _kernel.Load(StreamId.QueueActivations, staged, _leftTensor.Part(((long)batch * _m) + i, _kernel.Partitions, k, piece));
                _banks.TransposeColumns(_left[_leftNext++][.._depth, ..], staged);
            }
        }
    }

    private void LoadRight(int batch, int piece)
    {
        _rightFirst = _rightNext;
        for (int i = 0; i < _steps; i++)
        {
            _kernel.Load(StreamId.QueueWeights, _right[_rightNext++][.._depth, .._columns[piece]], Slice(_rightTensor, batch, i, _columns.Start(piece), _columns[piece]));
        }
    }

    private MemoryView Slice(MemoryTensor tensor, int batch, int step, long start, int width)
    {
        long first = ((long)batch * _k) + (_byK ? step : step * _depth);
        return new MemoryView(tensor, (first * tensor.Columns) + start, new MemoryPattern(1, 0, _depth, (_byK ? _steps : 1) * tensor.Columns, 1, 0, width));
    }
}
