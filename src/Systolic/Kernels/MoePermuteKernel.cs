using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Token rows scattered to expert order, or gathered from it and summed by weight.</summary>
internal sealed class MoePermuteKernel
{
    private const int WantedPiece = 8192;

    private readonly MoePermute _op;
    private readonly KernelBuilder _kernel;
    private readonly RowTiling _rows;
    private readonly ColumnTiling _pieces;
    private readonly TileBuffer _indices;
    private readonly TileBuffer? _weights;
    private readonly TileBuffer _tokens;
    private readonly TileBuffer? _sums;

    private MoePermuteKernel(MoePermute op, Accelerator machine, long rows)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name);
        _rows = new RowTiling(rows, _kernel.Partitions);
        _indices = _kernel.Sbuf("indices", op.TopK * sizeof(int), 2);
        _weights = op.Combine ? _kernel.Sbuf("weights", op.TopK * op.Type.ByteSize(), 2) : null;
        int width = Placement.Width(_kernel, op.Name, Math.Min(op.Columns, WantedPiece), (op.Combine ? 2 : 1) * op.Type.ByteSize());
        _pieces = new ColumnTiling(op.Columns, width);
        long bytes = (long)width * op.Type.ByteSize();
        _tokens = _kernel.Sbuf(op.Combine ? "copies" : "tokens", bytes, TilePipeline.Copies);
        _sums = op.Combine ? _kernel.Sbuf("sums", bytes, TilePipeline.Copies) : null;
    }

    /// <summary>Lowers either direction.</summary>
    public static Lowering Lower(MoePermute op, Accelerator machine) =>
        Placement.Cut(op.Rows, machine.Sbuf.Partitions, (4 + (2 * op.TopK)) * new ColumnTiling(op.Columns, WantedPiece).Pieces, rows => new MoePermuteKernel(op, machine, rows).Write());

    private (Program, string) Write()
    {
        for (long tile = 0; tile < _rows.Tiles; tile++)
        {
            LoadIndices(tile);
            for (int piece = 0; piece < _pieces.Pieces; piece++)
            {
                if (_op.Combine)
                {
                    Combine(tile, piece);
                }
                else
                {
                    Dispatch(tile, piece);
                }
            }
        }

        return (_kernel.Build(), Placement.Mapping(_kernel.Partitions, TilePipeline.Copies, FormattableString.Invariant($"{_pieces.Width} columns, {(_op.Combine ? "gathered" : "scattered")}")));
    }

    private void LoadIndices(long tile)
    {
        _kernel.Load(StreamId.QueueSmall, _indices[tile], _rows[tile], _op.TopK * sizeof(int));
        if (_weights is { } weights)
        {
            _kernel.Load(StreamId.QueueSmall, weights[tile], _rows[tile], _op.TopK * _op.Type.ByteSize());
        }
    }

    private void Dispatch(long tile, int piece)
    {
        Tile tokens = _tokens[(tile * _pieces.Pieces) + piece];
        long bytes = (long)_pieces[piece] * _op.Type.ByteSize();
        _kernel.Load(StreamId.QueueActivations, tokens, _rows[tile], bytes);
        for (long copy = 0; copy < _op.TopK; copy++)
        {
            _kernel.Scatter(StreamId.QueueStores, tokens, _indices[tile], _rows[tile], bytes);
        }
    }

    private void Combine(long tile, int piece)
    {
        long round = (tile * _pieces.Pieces) + piece;
        int rows = _rows[tile], columns = _pieces[piece];
        long bytes = (long)columns * _op.Type.ByteSize();
        Tile sum = _sums![round];
        for (long copy = 0; copy < _op.TopK; copy++)
        {
            Tile token = _tokens[(round * _op.TopK) + copy];
            _kernel.Gather(StreamId.QueueActivations, token, _indices[tile], rows, bytes);
            if (copy == 0)
            {
                _kernel.TensorScalar(StreamId.Vector, sum, token, _weights![tile], rows, columns, _op.Type, _op.Type);
            }
            else
            {
                WeightedAdd(sum, token, _weights![tile], rows, columns);
            }
        }

        _kernel.Store(StreamId.QueueStores, sum, rows, bytes);
    }

    /// <summary>sum += weight x token: the product on ScalarE, the sum on VectorE.</summary>
    private void WeightedAdd(Tile sum, Tile token, Tile weights, int rows, int columns)
    {
        _kernel.TensorScalar(StreamId.Scalar, token, token, weights, rows, columns, _op.Type, _op.Type);
        _kernel.TensorTensor(StreamId.Vector, sum, sum, token, rows, columns, _op.Type, _op.Type);
    }
}
