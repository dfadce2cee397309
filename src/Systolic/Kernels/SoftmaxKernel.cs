using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Softmax of each row: maximum and scale on the vector engine, exponential with its sum on the scalar engine.</summary>
/// <remarks>A row that does not fit SBUF is read twice in pieces: first the running maximum and sum (<see cref="OnlineSum"/>), then the result.</remarks>
internal sealed class SoftmaxKernel
{
    private const int WantedPiece = 4096;

    /// <summary>Elements of the statistics of a row: the negative maximum (or the sum over pieces), the sum, its inverse.</summary>
    private const int Statistics = 4;

    private readonly Softmax _op;
    private readonly KernelBuilder _kernel;
    private readonly RowTiling _rows;
    private readonly ColumnTiling _pieces;
    private readonly MemoryTensor _input;
    private readonly MemoryTensor? _gradientTensor;
    private readonly MemoryTensor _output;
    private readonly TileBuffer _x;
    private readonly TileBuffer? _gradient;
    private readonly TileBuffer? _scratch;
    private readonly TileBuffer _statistics;
    private readonly OnlineSum? _online;

    private SoftmaxKernel(Softmax op, Accelerator machine, long rows, bool values)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name, values);
        _gradientTensor = op.Backward ? _kernel.Input("gradient", rows, op.Columns, op.Type) : null;
        _input = _kernel.Input(op.Backward ? "y" : "x", rows, op.Columns, op.Type);
        _output = _kernel.Output("output", rows, op.Columns, op.Type);
        _rows = new RowTiling(rows, _kernel.Partitions);
        int copies = WholeRowCopies(op, _kernel);
        bool whole = copies > 0;
        copies = whole ? copies : TilePipeline.SkewedCopies;
        _statistics = _kernel.Sbuf("statistics", Statistics, DataType.Fp32, whole ? copies : 1);
        _online = whole || op.Backward ? null : new OnlineSum(_kernel);
        _pieces = new ColumnTiling(op.Columns, whole ? (int)op.Columns : Placement.Width(_kernel, op.Name, WantedPiece, RowTiles(op) * op.Type.ByteSize(), 0, 1, copies));
        _x = _kernel.Sbuf(op.Backward ? "y" : "x", _pieces.Width, op.Type, copies);
        _gradient = op.Backward ? _kernel.Sbuf("gradient of y", _pieces.Width, op.Type, copies) : null;
        _scratch = op.Backward || !whole ? _kernel.Sbuf("scratch", _pieces.Width, op.Type, copies) : null;
    }

    private bool Whole => _pieces.Pieces == 1;

    /// <summary>Lowers either direction, with the whole row in SBUF where it fits.</summary>
    public static Lowering Lower(Softmax op, Accelerator machine, bool values)
    {
        var sizing = new KernelBuilder(machine, op.Name);
        long pieces = WholeRowCopies(op, sizing) > 0 ? 1 : new ColumnTiling(op.Columns, WantedPiece).Pieces;
        return Placement.Cut(op.Rows, machine.Sbuf.Partitions, 16 * pieces, rows => new SoftmaxKernel(op, machine, rows, values).Write());
    }

    private static int RowTiles(Softmax op) => op.Backward ? 3 : 2;

    private static int WholeRowCopies(Softmax op, KernelBuilder kernel) =>
        Placement.Copies(kernel, ((op.Backward ? 3 : 1) * op.Columns * op.Type.ByteSize()) + (Statistics * sizeof(float)));

    private (Program, string) Write()
    {
        if (Whole)
        {
            Action<long>[] stages = _op.Backward ? [LoadProduct, SumProduct, StoreGradient] : [LoadMaximum, Exponential, Normalize];
            TilePipeline.Write(_rows.Tiles, _x.Copies, stages);
            return (_kernel.Build(), Placement.Mapping(_kernel.Partitions, _x.Copies));
        }

        TilePipeline.Write(_rows.Tiles, 1, _op.Backward ? BackwardInPieces : ForwardInPieces);
        return (_kernel.Build(), Placement.Mapping(_kernel.Partitions, _x.Copies, FormattableString.Invariant($"rows in {_pieces.Pieces} pieces of {_pieces.Width}, read twice")));
    }

    private void LoadMaximum(long tile)
    {
        Load(_x, tile, tile, 0);
        _kernel.TensorReduce(AluOperator.Maximum, Statistic(tile, 0), Of(_x, tile, tile, 0), negate: true);
    }

    private void Exponential(long tile) =>
        _kernel.ActivationReduce(ActivationFunction.Exp, Of(_x, tile, tile, 0), Statistic(tile, 1), Of(_x, tile, tile, 0), Statistic(tile, 0));

    private void Normalize(long tile)
    {
        _kernel.Reciprocal(Statistic(tile, 2), Statistic(tile, 1));
        Scale(tile, tile, 0);
    }

    private void LoadProduct(long tile) => Product(tile, tile, 0);

    private void SumProduct(long tile) => Sum(tile, tile, 0);

    private void StoreGradient(long tile) => Gradient(tile, Statistic(tile, 1), tile, 0);

    private void ForwardInPieces(long tile)
    {
        _online!.Write(_rows[tile], _pieces, piece => _scratch![Round(tile, piece, 0)], piece =>
        {
            Load(_x, Round(tile, piece, 0), tile, piece);
            return _x[Round(tile, piece, 0)];
        });
        _kernel.Reciprocal(Statistic(tile, 2), _online.Sum[.._rows[tile], ..1]);
        for (int piece = 0; piece < _pieces.Pieces; piece++)
        {
            long round = Round(tile, piece, 1);
            Load(_x, round, tile, piece);
            _kernel.Activation(ActivationFunction.Exp, Of(_x, round, tile, piece), Of(_x, round, tile, piece), _online.NegativeMaximum[.._rows[tile], ..1]);
            Scale(round, tile, piece);
        }
    }

    private void BackwardInPieces(long tile)
    {
        for (int piece = 0; piece < _pieces.Pieces; piece++)
        {
            long round = Round(tile, piece, 0);
            Product(round, tile, piece);
            Sum(round, tile, piece);
            if (piece == 0)
            {
                _kernel.Copy(StreamId.Vector, Statistic(tile, 0), Statistic(tile, 1));
            }
            else
            {
                _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, Statistic(tile, 0), Statistic(tile, 0), Statistic(tile, 1));
            }
        }

        for (int piece = 0; piece < _pieces.Pieces; piece++)
        {
            long round = Round(tile, piece, 1);
            Load(_x, round, tile, piece);
            LoadGradient(round, tile, piece);
            Gradient(round, Statistic(tile, 0), tile, piece);
        }
    }

    private long Round(long tile, long piece, int pass) => (((tile * 2) + pass) * _pieces.Pieces) + piece;

    private TileView Of(TileBuffer buffer, long round, long tile, long piece) => buffer[round][.._rows[tile], .._pieces[piece]];

    private TileView Statistic(long tile, int element) => _statistics[tile][.._rows[tile], element..(element + 1)];

    private MemoryView Part(MemoryTensor tensor, long tile, long piece) => tensor.Part(_rows.Start(tile), _rows[tile], _pieces.Start(piece), _pieces[piece]);

    private void Load(TileBuffer target, long round, long tile, long piece) =>
        _kernel.Load(StreamId.QueueActivations, Of(target, round, tile, piece), Part(_input, tile, piece));

    private void LoadGradient(long round, long tile, int piece) =>
        _kernel.Load(StreamId.QueueSmall, Of(_gradient!, round, tile, piece), Part(_gradientTensor!, tile, piece));

    private void Product(long round, long tile, int piece)
    {
        Load(_x, round, tile, piece);
        LoadGradient(round, tile, piece);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, Of(_scratch!, round, tile, piece), Of(_x, round, tile, piece), Of(_gradient!, round, tile, piece));
    }

    private void Sum(long round, long tile, int piece) =>
        _kernel.ActivationReduce(ActivationFunction.Identity, Of(_scratch!, round, tile, piece), Statistic(tile, 1), Of(_scratch!, round, tile, piece));

    /// <summary>(dy - sum(y dy)) y, with the sum as the scalar of each partition.</summary>
    private void Gradient(long round, in TileView sum, long tile, int piece)
    {
        TileView gradient = Of(_gradient!, round, tile, piece), x = Of(_x, round, tile, piece);
        _kernel.TensorScalar(StreamId.Vector, gradient, gradient, AluOperator.Subtract, sum);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, x, gradient, x);
        _kernel.Store(StreamId.QueueStores, Part(_output, tile, piece), x);
    }

    private void Scale(long round, long tile, int piece)
    {
        TileView x = Of(_x, round, tile, piece);
        _kernel.TensorScalar(StreamId.Vector, x, x, AluOperator.Multiply, Statistic(tile, 2));
        _kernel.Store(StreamId.QueueStores, Part(_output, tile, piece), x);
    }
}
