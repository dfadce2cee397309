using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>The products with a root-mean-square norm of NKIBench, fp32: before it (rmsnorm_matmul, add_rmsnorm_matmul) or after it (matmul_add_rmsnorm).</summary>
/// <remarks>
/// All weights stay in SBUF once loaded. Rows are transposed through the array, 512 columns to a bank; where the norm is a part of the same row tile, the transposes are made again for every 512 columns of
/// the result, and the norm of a neighbouring tile is written between transposes and products, as a list scheduler would place it.
/// </remarks>
internal sealed class NkiBenchNormProduct
{
    private const int Block = 8;
    private const DataType Type = DataType.Fp32;
    private readonly KernelBuilder _kernel;
    private readonly int _height;
    private readonly int _bank;
    private readonly int _tiles;
    private readonly int _k;
    private readonly MemoryTensor _x;
    private readonly MemoryTensor _weightTensor;
    private readonly MemoryTensor _result;
    private readonly ArrayBanks _banks;
    private readonly TileBuffer _weights;
    private readonly bool[] _loaded;
    private readonly int _weightWidth;
    private TileBuffer? _flipped;
    private TileBuffer? _results;
    private long _flips;
    private long _stored;

    private NkiBenchNormProduct(KernelBuilder kernel, int m, int k, int n, int weightWidth)
    {
        (_kernel, _height, _bank, _k, _weightWidth) = (kernel, kernel.Partitions, kernel.BankColumns, k, weightWidth);
        if (m % _height != 0 || k % _bank != 0 || n % weightWidth != 0)
        {
            throw new ArgumentException(FormattableString.Invariant($"Found M = {m}, K = {k}, N = {n}, expected multiples of {_height}, {_bank} and {weightWidth}."), nameof(m));
        }

        _tiles = m / _height;
        (_x, _weightTensor, _result) = (kernel.Input("x", m, k, Type), kernel.Input("weights", k, n, Type), kernel.Output("result", m, n, Type));
        _banks = new ArrayBanks(kernel);
        _weights = kernel.Sbuf("weights", weightWidth, Type, k / _height * (n / weightWidth));
        _loaded = new bool[_weights.Copies];
    }

    /// <summary>rmsnorm_matmul: norm(x) x weights. Eight row tiles are normed and transposed, then multiplied by 1,024 columns after the other; x is read for its norm and again to be scaled.</summary>
    public static Program WriteNormFirst(KernelBuilder kernel, int m, int k, int n)
    {
        var product = new NkiBenchNormProduct(kernel, m, k, n, Math.Min(n, 1024));
        int block = Math.Min(Block, product._tiles), groups = k / product._bank;
        TileBuffer x = kernel.Sbuf("x", k, Type, 2), scaled = kernel.Sbuf("squares and scaled x", product._bank, Type, 4), sums = kernel.Sbuf("statistics", groups + 1L, Type, 2);
        product._flipped = kernel.Sbuf("transposed", product._bank, Type, 2 * block * groups);
        product._results = kernel.Sbuf("results", product._weightWidth, Type, 3);
        for (int first = 0; first < product._tiles; first += block)
        {
            long flips = product._flips;
            int end = Math.Min(first + block, product._tiles);
            for (int tile = first; tile < end; tile++)
            {
                product.NormAndFlip(tile, x, scaled, sums[tile]);
            }

            for (int column = 0; column < n; column += product._weightWidth)
            {
                for (int tile = first; tile < end; tile++)
                {
                    product.Multiply(tile, flips + ((long)(tile - first) * groups), column);
                }
            }
        }

        return kernel.Build();
    }

    /// <summary>add_rmsnorm_matmul: (norm(x + z) x gain) x weights.</summary>
    public static Program WriteAddFirst(KernelBuilder kernel, int m, int k, int n)
    {
        var product = new NkiBenchNormProduct(kernel, m, k, n, kernel.BankColumns);
        MemoryTensor z = kernel.Input("z", m, k, Type);
        var norm = new ResidualNorm(kernel, product._banks, z, k, 2);
        TileBuffer x = kernel.Sbuf("x", k, Type, 2);
        product._flipped = kernel.Sbuf("transposed", product._bank, Type, 2 * k / product._bank);
        product._results = kernel.Sbuf("results", product._weightWidth, Type, 3);
        Prepare(0);
        for (int tile = 0; tile < product._tiles; tile++)
        {
            for (int column = 0; column < n; column += product._weightWidth)
            {
                long flips = product.Flip(norm.Result(tile));
                if (column == 0 && tile + 1 < product._tiles)
                {
                    Prepare(tile + 1);
                }

                product.Multiply(tile, flips, column);
            }
        }

        return kernel.Build();

        void Prepare(int tile)
        {
            kernel.Load(StreamId.QueueActivations, x[tile], product.Rows(product._x, tile));
            norm.Write(tile, x[tile]);
        }
    }

    /// <summary>matmul_add_rmsnorm: norm(x x weights + z) x gain.</summary>
    public static Program WriteAddLast(KernelBuilder kernel, int m, int k, int n)
    {
        var product = new NkiBenchNormProduct(kernel, m, k, n, kernel.BankColumns);
        MemoryTensor z = kernel.Input("z", m, n, Type);
        var norm = new ResidualNorm(kernel, product._banks, z, n, 1);
        TileBuffer x = kernel.Sbuf("x", k, Type), sums = kernel.Sbuf("products", n, Type);
        product._flipped = kernel.Sbuf("transposed", product._bank, Type, k / product._bank);
        for (int tile = 0; tile < product._tiles; tile++)
        {
            kernel.Load(StreamId.QueueActivations, x[tile], product.Rows(product._x, tile));
            for (int column = 0; column < n; column += product._weightWidth)
            {
                long flips = product.Flip(x[tile]);
                if (column == 0 && tile > 0)
                {
                    Finish(tile - 1);
                }

                kernel.Copy(StreamId.Scalar, sums[tile].Columns(column, product._weightWidth), product.Sum(flips, column));
            }
        }

        Finish(product._tiles - 1);
        return kernel.Build();

        void Finish(int tile)
        {
            norm.Write(tile, sums[tile]);
            kernel.Store(StreamId.QueueStores, product.Rows(product._result, tile), norm.Result(tile));
        }
    }

    private MemoryView Rows(MemoryTensor tensor, int tile) => tensor.Part((long)tile * _height, _height);

    /// <summary>Mean square of x in pieces of a bank, then x read again, scaled and transposed.</summary>
    private void NormAndFlip(int tile, TileBuffer x, TileBuffer scaled, Tile sums)
    {
        int groups = _k / _bank;
        Tile first = x[2L * tile], second = x[(2L * tile) + 1];
        TileView mean = sums[.., groups..];
        _kernel.Load(StreamId.QueueActivations, first, Rows(_x, tile));
        for (int i = 0; i < groups; i++)
        {
            Tile square = scaled[(2L * tile * groups) + i];
            _kernel.Activation(ActivationFunction.Square, square, first.Columns(i * _bank, _bank));
            _kernel.TensorScalar(StreamId.Scalar, square, square, AluOperator.Multiply, 1f / _k);
            _kernel.TensorReduce(AluOperator.Add, i == 0 ? mean : sums[.., i..(i + 1)], square);
            if (i > 0)
            {
                _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, mean, mean, sums[.., i..(i + 1)]);
            }
        }

        _kernel.Activation(ActivationFunction.Rsqrt, mean, mean);
        _kernel.Load(StreamId.QueueActivations, second, Rows(_x, tile));
        for (int i = 0; i < groups; i++)
        {
            Tile piece = scaled[(((2L * tile) + 1) * groups) + i];
            _kernel.TensorScalar(StreamId.Scalar, piece, second.Columns(i * _bank, _bank), AluOperator.Multiply, mean);
            Flip(piece);
        }
    }

    /// <summary>Transposes a bank's columns at a time; returns the number of the first.</summary>
    private long Flip(in TileView rows)
    {
        long first = _flips;
        for (int column = 0; column < rows.Elements; column += _bank)
        {
            _banks.TransposeColumns(_flipped![_flips++], rows.Columns(column, _bank));
        }

        return first;
    }

    private void Multiply(int tile, long flips, int column)
    {
        TileView result = _results![_stored++];
        for (int half = 0; half < _weightWidth; half += _bank)
        {
            _kernel.Copy(StreamId.Scalar, result.Columns(half, _bank), Sum(flips, column + half));
        }

        _kernel.Store(StreamId.QueueStores, _result.Part((long)tile * _height, _height, column, _weightWidth), result);
    }

    private TileView Sum(long flips, int column) => _banks.Multiply(
        _height,
        _bank,
        _k / _height,
        i => _flipped![flips + (i * _height / _bank)].Columns(i * _height % _bank, _height),
        i => Weight(i, column));

    /// <summary>A slice of K, loaded when it is first used.</summary>
    private TileView Weight(int slice, int column)
    {
        (int block, int offset) = Math.DivRem(column, _weightWidth);
        int index = (block * (_k / _height)) + slice;
        if (!_loaded[index])
        {
            _loaded[index] = true;
            _kernel.Load(StreamId.QueueWeights, _weights[index], _weightTensor.Part((long)slice * _height, _height, (long)block * _weightWidth, _weightWidth));
        }

        return _weights[index].Columns(offset, _bank);
    }
}
