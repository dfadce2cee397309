using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Cross-entropy over a vocabulary that no partition holds: the logits are read twice in pieces, first for maximum and sum, then for the gradient.</summary>
/// <remarks>
/// Reads: the logits twice, the labels, and each label's own logit, gathered by address. Writes: the gradient and the loss.
/// Loss = log(sum) + maximum - the label's logit; gradient = softmax, minus one at the label (columns compared with the label on GpSimdE, subtracted on VectorE with the scaling).
/// </remarks>
internal sealed class CrossEntropyKernel
{
    private const int WantedPiece = 4096;

    /// <summary>The engines add addresses in fp32, whose integers are exact up to here.</summary>
    private const long ExactIntegers = 1L << 24;

    /// <summary>Partitions of the smallest view that starts anywhere on the grid of the engines.</summary>
    private const int SmallestGather = 32;

    private readonly CrossEntropy _op;
    private readonly KernelBuilder _kernel;
    private readonly RowTiling _rows;
    private readonly ColumnTiling _pieces;
    private readonly int _gathered;
    private readonly MemoryTensor _logits, _labelTensor, _gradient, _lossTensor;
    private readonly TileBuffer _labels, _labelLogits, _loss, _inverse, _x, _scratch;
    private readonly Tile _rowOffsets, _columns;
    private readonly TileBuffer _addresses;
    private readonly OnlineSum _online;

    private CrossEntropyKernel(CrossEntropy op, Accelerator machine, long rows, bool values)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name, values);
        _logits = _kernel.Input("logits", rows, op.Columns, op.Type);
        _labelTensor = _kernel.Input("labels", rows, 1, DataType.Int32);
        _gradient = _kernel.Output("gradient", rows, op.Columns, op.Type);
        _lossTensor = _kernel.Output("loss", rows, 1, DataType.Fp32);
        _rows = new RowTiling(rows, _kernel.Partitions);
        _gathered = RowsOfAGather(op, _kernel.Partitions);
        _labels = _kernel.Sbuf("labels", 1, DataType.Int32, 2);
        _addresses = _kernel.Sbuf("addresses of the labels", 1, DataType.Int32, 2);
        _rowOffsets = _kernel.Sbuf("offsets of the rows", 1, DataType.Int32)[0];
        _labelLogits = _kernel.Sbuf("logits of the labels", 1, op.Type, 2);
        _loss = _kernel.Sbuf("loss", 1, DataType.Fp32, 2);
        _inverse = _kernel.Sbuf("1 / sum", 1, DataType.Fp32, 2);
        _online = new OnlineSum(_kernel);
        long wanted = Math.Min(op.Columns, WantedPiece);
        int width = Placement.Width(_kernel, op.Name, wanted, 2 * op.Type.ByteSize(), wanted * sizeof(int), copies: TilePipeline.SkewedCopies);
        _pieces = new ColumnTiling(op.Columns, width);
        _columns = _kernel.Sbuf("columns", width, DataType.Int32)[0];
        _x = _kernel.Sbuf("logits", width, op.Type, TilePipeline.SkewedCopies);
        _scratch = _kernel.Sbuf("exponentials, labels", width, op.Type, TilePipeline.SkewedCopies);
    }

    /// <summary>Lowers loss and gradient.</summary>
    /// <exception cref="NotSupportedException">Values are asked for, and addresses are not exact.</exception>
    public static Lowering Lower(CrossEntropy op, Accelerator machine, bool values)
    {
        if (values && RowsOfAGather(op, machine.Sbuf.Partitions) * op.Columns > ExactIntegers)
        {
            throw new NotSupportedException(FormattableString.Invariant($"{op.Name}: found {op.Columns} columns, expected at most {ExactIntegers / SmallestGather} to compute values: the engines add addresses in fp32."));
        }

        return Placement.Cut(op.Rows, machine.Sbuf.Partitions, 16L * (1 + new ColumnTiling(op.Columns, WantedPiece).Pieces), rows => new CrossEntropyKernel(op, machine, rows, values).Write());
    }

    /// <summary>Rows whose labels one gather reads: all of a tile unless their addresses within it were not exact.</summary>
    private static int RowsOfAGather(CrossEntropy op, int partitions)
    {
        int rows = partitions;
        while (rows > SmallestGather && rows * op.Columns > ExactIntegers)
        {
            rows /= 2;
        }

        return rows;
    }

    private (Program, string) Write()
    {
        _kernel.Iota(_columns.ToTileView(), new AffineCondition(0, 0, 1));
        foreach (Range part in Gathers(_kernel.Partitions))
        {
            _kernel.Iota(_rowOffsets[part, ..], new AffineCondition(0, (int)_op.Columns, 0));
        }

        TilePipeline.Write(_rows.Tiles, 1, Tile);
        return (_kernel.Build(), Placement.Mapping(_kernel.Partitions, _x.Copies, FormattableString.Invariant($"rows in {_pieces.Pieces} pieces of {_pieces.Width}, read twice")));
    }

    private IEnumerable<Range> Gathers(int rows)
    {
        for (int first = 0; first < rows; first += _gathered)
        {
            yield return first..Math.Min(rows, first + _gathered);
        }
    }

    private void Tile(long tile)
    {
        int rows = _rows[tile];
        GatherLabels(tile, rows);
        _online.Write(rows, _pieces, piece => _scratch[Round(tile, 0, piece)], piece =>
        {
            Load(tile, piece, Round(tile, 0, piece));
            return _x[Round(tile, 0, piece)];
        });
        _kernel.Reciprocal(One(_inverse[tile], rows), One(_online.Sum, rows));
        for (int piece = 0; piece < _pieces.Pieces; piece++)
        {
            Gradient(Round(tile, 1, piece), tile, piece);
        }

        Loss(tile, rows);
    }

    /// <summary>The label's logit lies at row x columns + label.</summary>
    private void GatherLabels(long tile, int rows)
    {
        TileView labels = One(_labels[tile], rows), addresses = One(_addresses[tile], rows);
        _kernel.Load(StreamId.QueueSmall, labels, _labelTensor.Part(_rows.Start(tile), rows));
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, addresses, labels, One(_rowOffsets, rows));
        foreach (Range part in Gathers(rows))
        {
            int first = part.Start.Value, count = part.End.Value - first;
            MemoryView logits = _logits.Flat((_rows.Start(tile) + first) * _op.Columns, count * _op.Columns, 1);
            _kernel.Gather(StreamId.QueueSmall, _labelLogits[tile][part, ..1], _addresses[tile][part, ..1], logits);
        }
    }

    private void Gradient(long round, long tile, int piece)
    {
        int rows = _rows[tile], columns = _pieces[piece];
        TileView x = _x[round][..rows, ..columns], label = _scratch[round][..rows, ..columns];
        _kernel.TensorScalar(StreamId.GpSimd, label, _columns[..rows, ..columns], AluOperator.Add, _pieces.Start(piece), AluOperator.Equal, One(_labels[tile], rows));
        Load(tile, piece, round);
        _kernel.Activation(ActivationFunction.Exp, x, x, One(_online.NegativeMaximum, rows));
        _kernel.ScalarTensorTensor(x, x, AluOperator.Multiply, One(_inverse[tile], rows), AluOperator.Subtract, label);
        _kernel.Store(StreamId.QueueStores, Part(_gradient, tile, piece), x);
    }

    private void Loss(long tile, int rows)
    {
        TileView loss = One(_loss[tile], rows);
        _kernel.Activation(ActivationFunction.Log, loss, One(_online.Sum, rows));
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Subtract, loss, loss, One(_online.NegativeMaximum, rows));
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Subtract, loss, loss, One(_labelLogits[tile], rows));
        _kernel.Store(StreamId.QueueStores, _lossTensor.Part(_rows.Start(tile), rows), loss);
    }

    private void Load(long tile, long piece, long round) =>
        _kernel.Load(StreamId.QueueActivations, _x[round][.._rows[tile], .._pieces[piece]], Part(_logits, tile, piece));

    private MemoryView Part(MemoryTensor tensor, long tile, long piece) => tensor.Part(_rows.Start(tile), _rows[tile], _pieces.Start(piece), _pieces[piece]);

    private static TileView One(Tile tile, int rows) => tile[..rows, ..1];

    private long Round(long tile, int pass, long piece) => (((tile * 2) + pass) * _pieces.Pieces) + piece;
}
