using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Rows of a table gathered by index, or their gradient gathered, added to and scattered back.</summary>
/// <remarks>
/// Backward, a later tile may hold the same token: the table's rows have one buffer, so that a gather waits for the scatter before it.
/// Equal tokens within a tile are taken to be summed beforehand; that sum is not modelled.
/// </remarks>
internal sealed class EmbeddingKernel
{
    private const int WantedPiece = 8192;

    private readonly Embedding _op;
    private readonly KernelBuilder _kernel;
    private readonly RowTiling _rows;
    private readonly ColumnTiling _pieces;
    private readonly TileBuffer _indices;
    private readonly TileBuffer _tableRows;
    private readonly TileBuffer? _gradient;

    private EmbeddingKernel(Embedding op, Accelerator machine, long rows)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name);
        _rows = new RowTiling(rows, _kernel.Partitions);
        _indices = _kernel.Sbuf("indices", sizeof(int), TilePipeline.Copies);
        int width = Placement.Width(_kernel, op.Name, Math.Min(op.Columns, WantedPiece), (op.Backward ? 2 : 1) * op.Type.ByteSize());
        _pieces = new ColumnTiling(op.Columns, width);
        long bytes = (long)width * op.Type.ByteSize();
        _tableRows = _kernel.Sbuf("rows of the table", bytes, op.Backward ? 1 : TilePipeline.Copies);
        _gradient = op.Backward ? _kernel.Sbuf("gradient", bytes, TilePipeline.Copies) : null;
    }

    /// <summary>Lowers either direction.</summary>
    public static Lowering Lower(Embedding op, Accelerator machine) =>
        Placement.Cut(op.Rows, machine.Sbuf.Partitions, 8L * new ColumnTiling(op.Columns, WantedPiece).Pieces, rows => new EmbeddingKernel(op, machine, rows).Write());

    private (Program, string) Write()
    {
        for (long tile = 0; tile < _rows.Tiles; tile++)
        {
            _kernel.Load(StreamId.QueueSmall, _indices[tile], _rows[tile], sizeof(int));
            for (int piece = 0; piece < _pieces.Pieces; piece++)
            {
                Piece(tile, piece);
            }
        }

        return (_kernel.Build(), Placement.Mapping(_kernel.Partitions, (_gradient ?? _tableRows).Copies, FormattableString.Invariant($"{_pieces.Width} columns, gathered")));
    }

    private void Piece(long tile, int piece)
    {
        long round = (tile * _pieces.Pieces) + piece;
        (int rows, int columns) = (_rows[tile], _pieces[piece]);
        long bytes = (long)columns * _op.Type.ByteSize();
        Tile selected = _tableRows[round];
        _kernel.Gather(StreamId.QueueWeights, selected, _indices[tile], rows, bytes);
        if (_gradient is { } gradient)
        {
            _kernel.Load(StreamId.QueueActivations, gradient[round], rows, bytes);
            _kernel.TensorTensor(StreamId.Vector, selected, selected, gradient[round], rows, columns, _op.Type, _op.Type);
            _kernel.Scatter(StreamId.QueueStores, selected, _indices[tile], rows, bytes);
        }
        else
        {
            _kernel.Store(StreamId.QueueStores, selected, rows, bytes);
        }
    }
}
