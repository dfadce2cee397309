using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Token rows scattered to expert order, or gathered from it and summed by weight; backward each is the other with a gradient.</summary>
/// <remarks>
/// A copy whose row is -1 was dropped: its scatter is skipped, and what is gathered in its stead (row 0) counts for nothing, its weight being zero. Rows that no copy fills stay zero, as memory is handed out.
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
    private readonly int _chosen;
    private readonly MemoryTensor _tokenTensor, _copyTensor, _placeTensor;
    private readonly MemoryTensor? _weightTensor, _copyGradients, _weightGradientTensor;
    private readonly TileBuffer _places, _tokens;
    private readonly TileBuffer? _gathered, _kept, _weights, _sums, _products, _weightSums, _weightGradients;

    private MoePermuteKernel(MoePermute op, Accelerator machine, long rows, bool values)
    {
        (_op, _chosen) = (op, checked((int)op.TopK));
        _kernel = new KernelBuilder(machine, op.Name, values);
        _rows = new RowTiling(rows, _kernel.Partitions);
        long copies = checked(rows * op.TopK);
        bool both = op.Combine && op.Backward, scattered = op.Combine == op.Backward;
        _tokenTensor = scattered ? _kernel.Input(op.Backward ? "gradient" : "tokens", rows, op.Columns, op.Type) : null!;
        _copyTensor = scattered ? null! : _kernel.Input(op.Backward ? "gradient of copies" : "copies", copies, op.Columns, op.Type);
        _placeTensor = _kernel.Input("rows", rows, op.TopK, DataType.Int32);
        _weightTensor = op.Combine ? _kernel.Input("weights", rows, op.TopK, op.Type) : null;
        _copyTensor ??= both ? _kernel.Input("copies", copies, op.Columns, op.Type) : _kernel.ClearedOutput("copies", copies, op.Columns, op.Type);
        _tokenTensor ??= _kernel.Output(op.Backward ? "gradient of tokens" : "tokens", rows, op.Columns, op.Type);
        _copyGradients = both ? _kernel.ClearedOutput("gradient of copies", copies, op.Columns, op.Type) : null;
        _weightGradientTensor = both ? _kernel.Output("gradient of weights", rows, op.TopK, op.Type) : null;
        _places = _kernel.Sbuf("rows of the copies", op.TopK, DataType.Int32, 2);
        _gathered = op.Combine || op.Backward ? _kernel.Sbuf("rows to gather", op.TopK, DataType.Int32, 2) : null;
        _kept = op.Backward ? _kernel.Sbuf("kept", op.TopK, DataType.Fp32, 2) : null;
        _weights = op.Combine ? _kernel.Sbuf("weights", op.TopK, op.Type, 2) : null;
        _weightSums = both ? _kernel.Sbuf("sums of the weights' gradients", op.TopK + 1, DataType.Fp32, 2) : null;
        _weightGradients = both ? _kernel.Sbuf("gradients of the weights", op.TopK, op.Type, 2) : null;
        int width = Placement.Width(_kernel, op.Name, Math.Min(op.Columns, WantedPiece), Tiles(op) * op.Type.ByteSize());
        _pieces = new ColumnTiling(op.Columns, width);
        _tokens = _kernel.Sbuf(Tiles(op) > 1 ? "copies" : "tokens", width, op.Type, TilePipeline.Copies);
        _sums = Tiles(op) > 1 ? _kernel.Sbuf(both ? "gradient" : "sums", width, op.Type, TilePipeline.Copies) : null;
        _products = Tiles(op) > 2 ? _kernel.Sbuf("weighted gradient", width, op.Type, TilePipeline.Copies) : null;
    }

    /// <summary>Lowers either direction.</summary>
    public static Lowering Lower(MoePermute op, Accelerator machine, bool values) =>
        Placement.Cut(op.Rows, machine.Sbuf.Partitions, (8 + (6 * op.TopK)) * new ColumnTiling(op.Columns, WantedPiece).Pieces, rows => new MoePermuteKernel(op, machine, rows, values).Write());

    private static int Tiles(MoePermute op) => op.Combine == op.Backward ? (op.Combine ? 3 : 1) : 2;

    private (Program, string) Write()
    {
        for (long tile = 0; tile < _rows.Tiles; tile++)
        {
            LoadPlaces(tile);
            for (int piece = 0; piece < _pieces.Pieces; piece++)
            {
                Piece(tile, piece);
            }

            if (_weightGradients is { } gradients)
            {
                TileView result = Chosen(gradients, tile);
                _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, result, _weightSums![tile][.._rows[tile], .._chosen], Chosen(_kept!, tile));
                _kernel.Store(StreamId.QueueStores, _weightGradientTensor!.Part(_rows.Start(tile), _rows[tile]), result);
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

    private void LoadPlaces(long tile)
    {
        TileView places = Chosen(_places, tile);
        _kernel.Load(StreamId.QueueSmall, places, _placeTensor.Part(_rows.Start(tile), _rows[tile]));
        if (_weights is { } weights)
        {
            _kernel.Load(StreamId.QueueSmall, Chosen(weights, tile), _weightTensor!.Part(_rows.Start(tile), _rows[tile]));
        }

        if (_gathered is { } gathered)
        {
            _kernel.TensorScalar(StreamId.Vector, Chosen(gathered, tile), places, AluOperator.Maximum, 0);
        }

        if (_kept is { } kept)
        {
            _kernel.TensorScalar(StreamId.Vector, Chosen(kept, tile), places, AluOperator.GreaterOrEqual, 0);
        }
    }

    private void Dispatch(long tile, int piece)
    {
        TileView tokens = Of(_tokens, (tile * _pieces.Pieces) + piece, tile, piece);
        _kernel.Load(StreamId.QueueActivations, tokens, Rows(_tokenTensor, tile, piece));
        for (int copy = 0; copy < _chosen; copy++)
        {
            _kernel.Scatter(StreamId.QueueStores, Copies(_copyTensor, piece), tokens, One(_places, tile, copy));
        }
    }

    /// <summary>The sum of a token's copies, weighted when combining (the product on ScalarE, the sum on VectorE), otherwise of those kept.</summary>
    private void Gather(long tile, int piece)
    {
        long round = (tile * _pieces.Pieces) + piece;
        TileView sum = Of(_sums!, round, tile, piece);
        for (int copy = 0; copy < _chosen; copy++)
        {
            TileView token = Of(_tokens, (round * _chosen) + copy, tile, piece);
            _kernel.Gather(StreamId.QueueActivations, token, One(_gathered!, tile, copy), Copies(_copyTensor, piece));
            if (_weights is { } weights)
            {
                _kernel.TensorScalar(StreamId.Scalar, token, token, AluOperator.Multiply, One(weights, tile, copy));
                AddWeighted(sum, token, copy);
            }
            else
            {
                AddKept(sum, token, copy, One(_kept!, tile, copy));
            }
        }

        _kernel.Store(StreamId.QueueStores, Rows(_tokenTensor, tile, piece), sum);
    }

    private void AddWeighted(in TileView sum, in TileView token, int copy)
    {
        if (copy == 0)
        {
            _kernel.Copy(StreamId.Vector, sum, token);
        }
        else
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, sum, sum, token);
        }
    }

    private void AddKept(in TileView sum, in TileView token, int copy, in TileView kept)
    {
        if (copy == 0)
        {
            _kernel.TensorScalar(StreamId.Vector, sum, token, AluOperator.Multiply, kept);
        }
        else
        {
            _kernel.ScalarTensorTensor(sum, token, AluOperator.Multiply, kept, AluOperator.Add, sum);
        }
    }

    private void CombineBackward(long tile, int piece)
    {
        long round = (tile * _pieces.Pieces) + piece;
        int rows = _rows[tile];
        TileView gradient = Of(_sums!, round, tile, piece), pieceSum = _weightSums![tile][..rows, _chosen..(_chosen + 1)];
        _kernel.Load(StreamId.QueueWeights, gradient, Rows(_tokenTensor, tile, piece));
        for (int copy = 0; copy < _chosen; copy++)
        {
            TileView token = Of(_tokens, (round * _chosen) + copy, tile, piece), product = Of(_products!, (round * _chosen) + copy, tile, piece), sum = One(_weightSums, tile, copy);
            _kernel.Gather(StreamId.QueueActivations, token, One(_gathered!, tile, copy), Copies(_copyTensor, piece));
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, token, token, gradient);
            _kernel.TensorReduce(AluOperator.Add, piece > 0 ? pieceSum : sum, token);
            if (piece > 0)
            {
                _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, sum, sum, pieceSum);
            }

            _kernel.TensorScalar(StreamId.Scalar, product, gradient, AluOperator.Multiply, One(_weights!, tile, copy));
            _kernel.Scatter(StreamId.QueueStores, Copies(_copyGradients!, piece), product, One(_places, tile, copy));
        }
    }

    private TileView Of(TileBuffer buffer, long round, long tile, int piece) => buffer[round][.._rows[tile], .._pieces[piece]];

    private TileView Chosen(TileBuffer buffer, long tile) => buffer[tile][.._rows[tile], ..];

    private TileView One(TileBuffer buffer, long tile, int copy) => buffer[tile][.._rows[tile], copy..(copy + 1)];

    private MemoryView Rows(MemoryTensor tensor, long tile, int piece) => tensor.Part(_rows.Start(tile), _rows[tile], _pieces.Start(piece), _pieces[piece]);

    private MemoryView Copies(MemoryTensor tensor, int piece) => tensor.Part(0, tensor.Rows, _pieces.Start(piece), _pieces[piece]);
}
