using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Token rows scattered to expert order, or gathered from it and summed by weight; backward each is the other with a gradient.</summary>
/// <remarks>
/// Dispatch backward gathers the copies' gradients and adds them. Combine backward scatters the weighted gradient to every copy, and gathers
/// the copies once more for the gradients of the weights: a product and a sum along the row for each.
/// </remarks>
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
    private readonly TileBuffer? _products;
    private readonly TileBuffer? _weightGradients;

    private MoePermuteKernel(MoePermute op, Accelerator machine, long rows)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name);
        _rows = new RowTiling(rows, _kernel.Partitions);
        _indices = _kernel.Sbuf("indices", op.TopK * sizeof(int), 2);
        _weights = op.Combine ? _kernel.Sbuf("weights", op.TopK * op.Type.ByteSize(), 2) : null;
        _weightGradients = op.Combine && op.Backward ? _kernel.Sbuf("gradients of the weights", 2 * op.TopK * sizeof(float), 2) : null;
        int width = Placement.Width(_kernel, op.Name, Math.Min(op.Columns, WantedPiece), Tiles(op) * op.Type.ByteSize());
        _pieces = new ColumnTiling(op.Columns, width);
        long bytes = (long)width * op.Type.ByteSize();
        _tokens = _kernel.Sbuf(Tiles(op) > 1 ? "copies" : "tokens", bytes, TilePipeline.Copies);
        _sums = Tiles(op) > 1 ? _kernel.Sbuf(op.Combine && op.Backward ? "gradient" : "sums", bytes, TilePipeline.Copies) : null;
        _products = Tiles(op) > 2 ? _kernel.Sbuf("weighted gradient", bytes, TilePipeline.Copies) : null;
    }

    /// <summary>Lowers either direction.</summary>
    public static Lowering Lower(MoePermute op, Accelerator machine) =>
        Placement.Cut(op.Rows, machine.Sbuf.Partitions, (4 + (6 * op.TopK)) * new ColumnTiling(op.Columns, WantedPiece).Pieces, rows => new MoePermuteKernel(op, machine, rows).Write());

    private static int Tiles(MoePermute op) => op.Combine == op.Backward ? (op.Combine ? 3 : 1) : 2;

    private (Program, string) Write()
    {
        for (long tile = 0; tile < _rows.Tiles; tile++)
        {
            LoadIndices(tile);
            for (int piece = 0; piece < _pieces.Pieces; piece++)
            {
                Piece(tile, piece);
            }

            if (_weightGradients is { } gradients)
            {
                _kernel.Copy(StreamId.Vector, gradients[tile], gradients[tile], _rows[tile], (int)_op.TopK, DataType.Fp32, _op.Type);
                _kernel.Store(StreamId.QueueStores, gradients[tile], _rows[tile], _op.TopK * _op.Type.ByteSize());
            }
        }

        return (_kernel.Build(), Placement.Mapping(_kernel.Partitions, TilePipeline.Copies, FormattableString.Invariant($"{_pieces.Width} columns, {(_op.Combine == _op.Backward ? "scattered" : "gathered")}")));
    }

    private void Piece(long tile, int piece)
    {
        switch (_op.Combine, _op.Backward)
        {
            case (true, true):
                CombineBackward(tile, piece);
                break;
            case (false, false):
                Dispatch(tile, piece);
                break;
            default:
                Gather(tile, piece);
                break;
        }
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

    /// <summary>The sum of a token's copies, weighted when combining: the product on ScalarE, the sum on VectorE.</summary>
    private void Gather(long tile, int piece)
    {
        long round = (tile * _pieces.Pieces) + piece;
        int rows = _rows[tile], columns = _pieces[piece];
        long bytes = (long)columns * _op.Type.ByteSize();
        Tile sum = _sums![round];
        for (long copy = 0; copy < _op.TopK; copy++)
        {
            Tile token = _tokens[(round * _op.TopK) + copy];
            _kernel.Gather(StreamId.QueueActivations, token, _indices[tile], rows, bytes);
            if (_weights is { } weights)
            {
                _kernel.TensorScalar(StreamId.Scalar, token, token, weights[tile], rows, columns, _op.Type, _op.Type);
            }

            if (copy == 0)
            {
                _kernel.Copy(StreamId.Vector, sum, token, rows, columns, _op.Type, _op.Type);
            }
            else
            {
                _kernel.TensorTensor(StreamId.Vector, sum, sum, token, rows, columns, _op.Type, _op.Type);
            }
        }

        _kernel.Store(StreamId.QueueStores, sum, rows, bytes);
    }

    private void CombineBackward(long tile, int piece)
    {
        long round = (tile * _pieces.Pieces) + piece;
        int rows = _rows[tile], columns = _pieces[piece];
        long bytes = (long)columns * _op.Type.ByteSize();
        Tile gradient = _sums![round], sums = _weightGradients![tile];
        _kernel.Load(StreamId.QueueWeights, gradient, rows, bytes);
        for (long copy = 0; copy < _op.TopK; copy++)
        {
            Tile token = _tokens[(round * _op.TopK) + copy], product = _products![(round * _op.TopK) + copy];
            _kernel.Gather(StreamId.QueueActivations, token, _indices[tile], rows, bytes);
            _kernel.TensorTensor(StreamId.Vector, token, token, gradient, rows, columns, _op.Type, _op.Type);
            _kernel.TensorReduce(sums, token, rows, columns, _op.Type, DataType.Fp32);
            if (piece > 0)
            {
                _kernel.TensorTensor(StreamId.Vector, sums, sums, sums, rows, 1, DataType.Fp32, DataType.Fp32);
            }

            _kernel.TensorScalar(StreamId.Scalar, product, gradient, _weights![tile], rows, columns, _op.Type, _op.Type);
            _kernel.Scatter(StreamId.QueueStores, product, _indices[tile], rows, bytes);
        }
    }
}
