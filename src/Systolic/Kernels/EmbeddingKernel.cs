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
    private readonly MemoryTensor _table;
    private readonly MemoryTensor _indexTensor;
    private readonly MemoryTensor? _gradientTensor;
    private readonly MemoryTensor? _output;

    private EmbeddingKernel(Embedding op, Accelerator machine, long rows, bool values)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name, values);
        _gradientTensor = op.Backward ? _kernel.Input("gradient", rows, op.Columns, op.Type) : null;
        _table = op.Backward ? _kernel.InputOutput("gradient of the table", op.TableRows, op.Columns, op.Type) : _kernel.Input("table", op.TableRows, op.Columns, op.Type);
        _indexTensor = _kernel.Input("indices", rows, 1, DataType.Int32);
        _output = op.Backward ? null : _kernel.Output("output", rows, op.Columns, op.Type);
        _rows = new RowTiling(rows, _kernel.Partitions);
        _indices = _kernel.Sbuf("indices", 1, DataType.Int32, TilePipeline.Copies);
        int width = Placement.Width(_kernel, op.Name, Math.Min(op.Columns, WantedPiece), (op.Backward ? 2 : 1) * op.Type.ByteSize());
        _pieces = new ColumnTiling(op.Columns, width);
        _tableRows = _kernel.Sbuf("rows of the table", width, op.Type, op.Backward ? 1 : TilePipeline.Copies);
        _gradient = op.Backward ? _kernel.Sbuf("gradient", width, op.Type, TilePipeline.Copies) : null;
    }

    /// <summary>Lowers either direction.</summary>
    public static Lowering Lower(Embedding op, Accelerator machine, bool values) =>
        Placement.Cut(op.Rows, machine.Sbuf.Partitions, 8L * new ColumnTiling(op.Columns, WantedPiece).Pieces, rows => new EmbeddingKernel(op, machine, rows, values).Write());

    private (Program, string) Write()
    {
        for (long tile = 0; tile < _rows.Tiles; tile++)
        {
            _kernel.Load(StreamId.QueueSmall, _indices[tile][.._rows[tile], ..1], _indexTensor.Part(_rows.Start(tile), _rows[tile]));
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
        long start = _pieces.Start(piece);
        TileView selected = _tableRows[round][..rows, ..columns], indices = _indices[tile][..rows, ..1];
        MemoryView table = _table.Part(0, _op.TableRows, start, columns);
        _kernel.Gather(StreamId.QueueWeights, selected, indices, table);
        if (_gradient is { } gradient)
        {
            _kernel.Load(StreamId.QueueActivations, gradient[round][..rows, ..columns], _gradientTensor!.Part(_rows.Start(tile), rows, start, columns));
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, selected, selected, gradient[round][..rows, ..columns]);
            _kernel.Scatter(StreamId.QueueStores, table, selected, indices);
        }
        else
        {
            _kernel.Store(StreamId.QueueStores, _output!.Part(_rows.Start(tile), rows, start, columns), selected);
        }
    }
}
