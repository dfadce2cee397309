using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Cross-entropy over a vocabulary that no partition holds: the logits are read twice in pieces, first for maximum and sum, then for the gradient.</summary>
/// <remarks>
/// Reads: the logits twice, the labels, and each label's own logit, gathered by address. Writes: the gradient and the loss.
/// Loss = log(sum) + maximum - the label's logit; gradient = softmax, minus one at the label (an index comparison on GpSimdE).
/// </remarks>
internal sealed class CrossEntropyKernel
{
    private const int WantedPiece = 4096;

    private readonly CrossEntropy _op;
    private readonly KernelBuilder _kernel;
    private readonly RowTiling _rows;
    private readonly ColumnTiling _pieces;
    private readonly TileBuffer _labels;
    private readonly TileBuffer _labelLogits;
    private readonly TileBuffer _loss;
    private readonly TileBuffer _inverse;
    private readonly OnlineSum _online;
    private readonly TileBuffer _x;
    private readonly TileBuffer _scratch;

    private CrossEntropyKernel(CrossEntropy op, Accelerator machine, long rows)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name);
        _rows = new RowTiling(rows, _kernel.Partitions);
        _labels = _kernel.Sbuf("labels", sizeof(int), 2);
        _labelLogits = _kernel.Sbuf("logits of the labels", op.Type.ByteSize(), 2);
        _loss = _kernel.Sbuf("loss", sizeof(float), 2);
        _inverse = _kernel.Sbuf("1 / sum", sizeof(float), 2);
        _online = new OnlineSum(_kernel);
        int width = Placement.Width(_kernel, op.Name, Math.Min(op.Columns, WantedPiece), 2 * op.Type.ByteSize(), copies: TilePipeline.SkewedCopies);
        _pieces = new ColumnTiling(op.Columns, width);
        _x = _kernel.Sbuf("logits", width, op.Type, TilePipeline.SkewedCopies);
        _scratch = _kernel.Sbuf("exponentials", width, op.Type, TilePipeline.SkewedCopies);
    }

    /// <summary>Lowers loss and gradient.</summary>
    public static Lowering Lower(CrossEntropy op, Accelerator machine) =>
        Placement.Cut(op.Rows, machine.Sbuf.Partitions, 16L * (1 + new ColumnTiling(op.Columns, WantedPiece).Pieces), rows => new CrossEntropyKernel(op, machine, rows).Write());

    private (Program, string) Write()
    {
        TilePipeline.Write(_rows.Tiles, 1, Tile);
        return (_kernel.Build(), Placement.Mapping(_kernel.Partitions, _x.Copies, FormattableString.Invariant($"rows in {_pieces.Pieces} pieces of {_pieces.Width}, read twice")));
    }

    private void Tile(long tile)
    {
        int rows = _rows[tile];
        _kernel.Load(StreamId.QueueSmall, _labels[tile], rows, sizeof(int));
        _kernel.Gather(StreamId.QueueSmall, _labelLogits[tile], _labels[tile], rows, _op.Type.ByteSize());
        _online.Write(rows, _pieces, piece => _scratch[Round(tile, 0, piece)], piece =>
        {
            Tile x = _x[Round(tile, 0, piece)];
            Load(x, rows, piece);
            return x;
        });
        _kernel.Reciprocal(_inverse[tile], _online.Sum, rows, 1, DataType.Fp32);
        for (int piece = 0; piece < _pieces.Pieces; piece++)
        {
            Gradient(Round(tile, 1, piece), tile, piece);
        }

        Loss(tile, rows);
    }

    private void Gradient(long round, long tile, int piece)
    {
        int rows = _rows[tile], columns = _pieces[piece];
        Tile x = _x[round];
        Load(x, rows, piece);
        _kernel.Activation(ActivationFunction.Exp, x, x, _online.NegativeMaximum, rows, columns, _op.Type, _op.Type);
        _kernel.TensorScalar(StreamId.Vector, x, x, _inverse[tile], rows, columns, _op.Type, _op.Type);
        _kernel.AffineSelect(x, x, rows, columns, _op.Type);
        _kernel.Store(StreamId.QueueStores, x, rows, (long)columns * _op.Type.ByteSize());
    }

    private void Loss(long tile, int rows)
    {
        Tile loss = _loss[tile];
        _kernel.Activation(ActivationFunction.Log, loss, _online.Sum, null, rows, 1, DataType.Fp32, DataType.Fp32);
        _kernel.TensorTensor(StreamId.Vector, loss, loss, _online.NegativeMaximum, rows, 1, DataType.Fp32, DataType.Fp32);
        _kernel.TensorTensor(StreamId.Vector, loss, loss, _labelLogits[tile], rows, 1, DataType.Fp32, DataType.Fp32);
        _kernel.Store(StreamId.QueueStores, loss, rows, sizeof(float));
    }

    private void Load(Tile x, int rows, long piece) =>
        _kernel.Load(StreamId.QueueActivations, x, rows, (long)_pieces[piece] * _op.Type.ByteSize());

    private long Round(long tile, int pass, long piece) => (((tile * 2) + pass) * _pieces.Pieces) + piece;
}
