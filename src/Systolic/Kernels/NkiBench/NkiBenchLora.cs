using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>lora of NKIBench, fp32: x W + (x A) B, computed as columns of W times transposed rows of x, K in four parts added in SBUF, and transposed before it is stored.</summary>
/// <remarks>The low-rank part of all results exceeds SBUF and is spilled. Rows of x are loaded and transposed again for every 1,024 columns.</remarks>
internal sealed class NkiBenchLora
{
    private const int Width = 1024;
    private const int Parts = 4;
    private const DataType Type = DataType.Fp32;
    private readonly KernelBuilder _kernel;
    private readonly int _height;
    private readonly int _bank;
    private readonly int _m;
    private readonly int _n;
    private readonly int _k;
    private readonly int _groups;
    private readonly ArrayBanks _banks;
    private readonly TransposedLoads _x;
    private readonly MemoryTensor _lowRank;
    private readonly TileBuffer _sums;
    private readonly TileBuffer _weights;
    private readonly TileBuffer _pieces;
    private long _piece;

    private NkiBenchLora(KernelBuilder kernel, int m, int n, int k)
    {
        (_kernel, _height, _bank, _m, _n, _k) = (kernel, kernel.Partitions, kernel.BankColumns, m, n, k);
        if (m % _bank != 0 || n % Width != 0 || k % (Parts * 2 * _height) != 0)
        {
            throw new ArgumentException(FormattableString.Invariant($"Found M = {m}, N = {n}, K = {k}, expected multiples of {_bank}, {Width} and {Parts * 2 * _height}."), nameof(m));
        }

        _groups = m / _bank;
        int slices = k / Parts / _height;
        _banks = new ArrayBanks(kernel);
        _x = new TransposedLoads(kernel, _banks, kernel.Input("x", m, k, Type), _height, 6);
        _lowRank = kernel.Scratch("low-rank part", n, m, Type);
        _sums = kernel.Sbuf("sums", _bank, Type, Math.Max(Width / _height * _groups, k / _height));
        _weights = kernel.Sbuf("weights", Width, Type, Math.Max(slices, (k / Width) + 2));
        _pieces = kernel.Sbuf("pieces", _bank, Type, Math.Max(slices, _groups + 2));
    }

    /// <summary>Writes the program for x [M, K], W [K, N], A [K, 128], B [128, N].</summary>
    public static Program Write(KernelBuilder kernel, int m, int n, int k)
    {
        var adapter = new NkiBenchLora(kernel, m, n, k);
        adapter.LowRank(kernel.Input("A", k, kernel.Partitions, Type), kernel.Input("B", kernel.Partitions, n, Type));
        MemoryTensor weights = kernel.Input("weights", k, n, Type), result = kernel.Output("result", m, n, Type);
        for (int column = 0; column < n; column += Width)
        {
            for (int part = 0; part < Parts; part++)
            {
                adapter.AddPart(weights, column, part);
            }

            adapter.Finish(result, column);
        }

        return kernel.Build();
    }

    /// <summary>(x A) B, features of the result on partitions. Buffers of the main product serve here.</summary>
    private void LowRank(MemoryTensor a, MemoryTensor b)
    {
        int slices = _k / _height, perTile = Width / _height, down = (slices + perTile - 1) / perTile;
        TileView Down(int slice) => _weights[slice / perTile].Columns(slice % perTile * _height, _height);
        for (int slice = 0; slice < slices; slice++)
        {
            _kernel.Load(StreamId.QueueWeights, Down(slice), a.Part((long)slice * _height, _height));
        }

        for (int group = 0; group < _groups; group++)
        {
            _x.Load((long)group * _bank, _bank, 0, _k, slice => _sums[slice]);
            _kernel.Copy(StreamId.Scalar, _pieces[group], _banks.Multiply(_height, _bank, slices, Down, i => _sums[i]));
        }

        int spare = _pieces.Copies - _groups, spareWeights = _weights.Copies - down;
        for (int column = 0; column < _n; column += Width)
        {
            TileView up = _weights[down + (column / Width % spareWeights)];
            _kernel.Load(StreamId.QueueWeights, up, b.Part(0, _height, column, Width));
            for (int group = 0; group < _groups; group++)
            {
                for (int feature = 0; feature < Width; feature += _height)
                {
                    TileView stationary = up.Columns(feature, _height), moving = _pieces[group], piece = _pieces[_groups + (_piece++ % spare)];
                    _kernel.Copy(StreamId.Scalar, piece, _banks.Multiply(_height, _bank, 1, _ => stationary, _ => moving));
                    _kernel.Store(StreamId.QueueStores, Spilled(column + feature, group), piece);
                }
            }
        }
    }

    private MemoryView Spilled(int feature, int group) => _lowRank.Part(feature, _height, (long)group * _bank, _bank);

    private TileView Sum(int feature, int group) => _sums[(feature / _height * _groups) + group];

    /// <summary>A quarter of K for 1,024 columns of the result.</summary>
    private void AddPart(MemoryTensor weights, int column, int part)
    {
        int slices = _k / Parts / _height, first = part * slices;
        for (int i = 0; i < slices; i++)
        {
            _kernel.Load(StreamId.QueueWeights, _weights[i], weights.Part((long)(first + i) * _height, _height, column, Width));
        }

        for (int group = 0; group < _groups; group++)
        {
            _x.Load((long)group * _bank, _bank, (long)first * _height, slices * _height, slice => _pieces[slice]);
            for (int feature = 0; feature < Width; feature += _height)
            {
                TileView sum = Sum(feature, group), product = _banks.Multiply(_height, _bank, slices, i => _weights[i].Columns(feature, _height), i => _pieces[i]);
                if (part == 0)
                {
                    _kernel.Copy(StreamId.Scalar, sum, product);
                }
                else
                {
                    _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, sum, sum, product);
                }
            }
        }
    }

    /// <summary>Adds the low-rank part, transposes and stores squares.</summary>
    private void Finish(MemoryTensor result, int column)
    {
        for (int group = 0; group < _groups; group++)
        {
            for (int feature = 0; feature < Width; feature += _height)
            {
                TileView sum = Sum(feature, group), low = _pieces[_piece++], rows = _pieces[_piece++];
                _kernel.Load(StreamId.QueueActivations, low, Spilled(column + feature, group));
                _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, sum, sum, low);
                _banks.TransposeColumns(rows, sum);
                for (int tile = 0; tile < _bank; tile += _height)
                {
                    _kernel.Store(StreamId.QueueStores, result.Part(((long)group * _bank) + tile, _height, column + feature, _height), rows.Columns(tile, _height));
                }
            }
        }
    }
}
