using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>swiglu of NKIBench, fp32: (silu(x gate) x (x up)) down; first all of the gate, then up and the product, then down.</summary>
/// <remarks>
/// Results of the gate exceed SBUF and are spilled; the product goes through main memory by the kernel's own text. Rows of x are transposed for each 1,024 columns again. The vector engine divides as in
/// <see cref="NkiBenchSilu"/>.
/// </remarks>
internal sealed class NkiBenchSwiglu
{
    private const int Width = 1024;
    private const DataType Type = DataType.Fp32;
    private readonly KernelBuilder _kernel;
    private readonly int _height;
    private readonly int _bank;
    private readonly int _m;
    private readonly int _n;
    private readonly int _k;
    private readonly ArrayBanks _banks;
    private readonly TransposedLoads _x;
    private readonly MemoryTensor _gate;
    private readonly MemoryTensor _hidden;
    private readonly TileBuffer _weights;
    private readonly TileBuffer _ring;
    private readonly TileBuffer _pieces;
    private long _weight;
    private long _next;
    private long _piece;

    private NkiBenchSwiglu(KernelBuilder kernel, int m, int n, int k)
    {
        (_kernel, _height, _bank, _m, _n, _k) = (kernel, kernel.Partitions, kernel.BankColumns, m, n, k);
        if (m % _bank != 0 || n % Width != 0 || k % Width != 0)
        {
            throw new ArgumentException(FormattableString.Invariant($"Found M = {m}, N = {n}, K = {k}, expected multiples of {_bank}, {Width} and {Width}."), nameof(m));
        }

        _banks = new ArrayBanks(kernel);
        _x = new TransposedLoads(kernel, _banks, kernel.Input("x", m, k, Type), 2 * _height, 8);
        (_gate, _hidden) = (kernel.Scratch("gate", n, m, Type), kernel.Scratch("hidden", n, m, Type));
        int slices = n / _height;
        _weights = kernel.Sbuf("weights", Width, Type, slices * (k / Width));
        _ring = kernel.Sbuf("operands of 512 rows", _bank, Type, slices + 4);
        _pieces = kernel.Sbuf("results", _bank, Type, 8);
    }

    /// <summary>Writes the program for x [M, K], gate and up [K, N], down [N, K].</summary>
    public static Program Write(KernelBuilder kernel, int m, int n, int k)
    {
        var network = new NkiBenchSwiglu(kernel, m, n, k);
        network.Project(kernel.Input("gate weights", k, n, Type), network.KeepGate);
        network.Project(kernel.Input("up weights", k, n, Type), network.KeepHidden);
        network.Down(kernel.Input("down weights", n, k, Type), kernel.Output("result", m, k, Type));
        return kernel.Build();
    }

    /// <summary>Columns of x weights, 1,024 at a time, features on partitions.</summary>
    private void Project(MemoryTensor weights, Action<TileView, int, int> keep)
    {
        int slices = _k / _height;
        for (int column = 0; column < _n; column += Width)
        {
            long weight = LoadWeights(weights, 0, slices, column);
            for (int row = 0; row < _m; row += _bank)
            {
                long x = _next;
                _next += slices;
                _x.Load(row, _bank, 0, _k, slice => _ring[x + slice]);
                for (int feature = 0; feature < Width; feature += _height)
                {
                    TileView sum = _banks.Multiply(_height, _bank, slices, i => _weights[weight + i].Columns(feature, _height), i => _ring[x + i]);
                    keep(sum, column + feature, row);
                }
            }
        }
    }

    private long LoadWeights(MemoryTensor weights, int first, int slices, int column)
    {
        for (int i = 0; i < slices; i++)
        {
            _kernel.Load(StreamId.QueueWeights, _weights[_weight++], weights.Part((long)(first + i) * _height, _height, column, Width));
        }

        return _weight - slices;
    }

    private MemoryView Piece(MemoryTensor tensor, int feature, int row) => tensor.Part(feature, _height, row, _bank);

    private void KeepGate(TileView sum, int feature, int row)
    {
        TileView piece = _pieces[_piece++];
        _kernel.Copy(StreamId.Scalar, piece, sum);
        _kernel.Store(StreamId.QueueStores, Piece(_gate, feature, row), piece);
    }

    /// <summary>gate / (1 + exp(-gate)) x up.</summary>
    private void KeepHidden(TileView sum, int feature, int row)
    {
        TileView gate = _pieces[_piece++], divisor = _pieces[_piece++];
        _kernel.Load(StreamId.QueueActivations, gate, Piece(_gate, feature, row));
        _kernel.Activation(ActivationFunction.Exp, divisor, gate, 0, -1);
        _kernel.TensorScalar(StreamId.Scalar, divisor, divisor, AluOperator.Add, 1);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Divide, gate, gate, divisor);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, gate, gate, sum);
        _kernel.Store(StreamId.QueueStores, Piece(_hidden, feature, row), gate);
    }

    private void Down(MemoryTensor weights, MemoryTensor result)
    {
        int slices = _n / _height;
        var first = new long[_k / Width];
        for (int block = 0; block < first.Length; block++)
        {
            first[block] = LoadWeights(weights, 0, slices, block * Width);
        }

        for (int row = 0; row < _m; row += _bank)
        {
            long hidden = _next;
            _next += slices;
            for (int i = 0; i < slices; i++)
            {
                _kernel.Load(StreamId.QueueActivations, _ring[hidden + i], Piece(_hidden, i * _height, row));
            }

            for (int tile = 0; tile < _bank; tile += _height)
            {
                for (int column = 0; column < _k; column += _bank)
                {
                    long weight = first[column / Width];
                    TileView piece = _pieces[_piece++];
                    _kernel.Copy(StreamId.Scalar, piece, _banks.Multiply(
                        _height,
                        _bank,
                        slices,
                        i => _ring[hidden + i].Columns(tile, _height),
                        i => _weights[weight + i].Columns(column % Width, _bank)));
                    _kernel.Store(StreamId.QueueStores, result.Part(row + tile, _height, column, _bank), piece);
                }
            }
        }
    }
}
