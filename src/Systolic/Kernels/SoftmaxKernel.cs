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
    private const int Statistics = 4;

    private readonly Softmax _op;
    private readonly KernelBuilder _kernel;
    private readonly RowTiling _rows;
    private readonly ColumnTiling _pieces;
    private readonly TileBuffer _x;
    private readonly TileBuffer? _gradient;
    private readonly TileBuffer? _scratch;
    private readonly TileBuffer _statistics;
    private readonly OnlineSum? _online;

    private SoftmaxKernel(Softmax op, Accelerator machine, long rows)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name);
        _rows = new RowTiling(rows, _kernel.Partitions);
        int copies = WholeRowCopies(op, _kernel);
        bool whole = copies > 0;
        copies = whole ? copies : TilePipeline.SkewedCopies;
        _statistics = _kernel.Sbuf("statistics", Statistics * sizeof(float), whole ? copies : 1);
        _online = whole || op.Backward ? null : new OnlineSum(_kernel, op.Type);
        _pieces = new ColumnTiling(op.Columns, whole ? (int)op.Columns : Placement.Width(_kernel, op.Name, WantedPiece, RowTiles(op) * op.Type.ByteSize(), Extra, 1, copies));
        long bytes = ((long)_pieces.Width * op.Type.ByteSize()) + sizeof(float);
        _x = _kernel.Sbuf(op.Backward ? "y" : "x", bytes, copies);
        _gradient = op.Backward ? _kernel.Sbuf("gradient of y", bytes, copies) : null;
        _scratch = op.Backward || !whole ? _kernel.Sbuf("scratch", bytes, copies) : null;
    }

    private static long Extra => TilePipeline.SkewedCopies * 3L * sizeof(float);

    private bool Whole => _pieces.Pieces == 1;

    /// <summary>Lowers either direction, with the whole row in SBUF where it fits.</summary>
    public static Lowering Lower(Softmax op, Accelerator machine)
    {
        var sizing = new KernelBuilder(machine, op.Name);
        long pieces = WholeRowCopies(op, sizing) > 0 ? 1 : new ColumnTiling(op.Columns, WantedPiece).Pieces;
        return Placement.Cut(op.Rows, machine.Sbuf.Partitions, 16 * pieces, rows => new SoftmaxKernel(op, machine, rows).Write());
    }

    private static int RowTiles(Softmax op) => op.Backward ? 3 : 2;

    private static int WholeRowCopies(Softmax op, KernelBuilder kernel) =>
        Placement.Copies(kernel, ((op.Backward ? 3 : 1) * ((op.Columns * op.Type.ByteSize()) + sizeof(float))) + (Statistics * sizeof(float)));

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
        Load(_x[tile], tile, 0);
        _kernel.TensorReduce(_statistics[tile], _x[tile], _rows[tile], _pieces[0], _op.Type, DataType.Fp32);
    }

    private void Exponential(long tile) =>
        _kernel.ActivationReduce(ActivationFunction.Exp, _x[tile], _x[tile], _statistics[tile], _rows[tile], _pieces[0], _op.Type, _op.Type);

    private void Normalize(long tile)
    {
        _kernel.Reciprocal(_statistics[tile], _x[tile], _rows[tile], 1, DataType.Fp32);
        Scale(_x[tile], _statistics[tile], tile, 0);
    }

    private void LoadProduct(long tile) => Product(tile, tile, 0);

    private void SumProduct(long tile) => Sum(tile, tile, 0);

    private void StoreGradient(long tile) => Gradient(tile, _scratch![tile], tile, 0);

    private void ForwardInPieces(long tile)
    {
        _online!.Write(_rows[tile], _pieces, piece => _scratch![Round(tile, piece, 0)], piece =>
        {
            Tile x = _x[Round(tile, piece, 0)];
            Load(x, tile, piece);
            return x;
        });
        _kernel.Reciprocal(_statistics[tile], _online.Sum, _rows[tile], 1, DataType.Fp32);
        for (int piece = 0; piece < _pieces.Pieces; piece++)
        {
            long round = Round(tile, piece, 1);
            Load(_x[round], tile, piece);
            _kernel.Activation(ActivationFunction.Exp, _x[round], _x[round], _online.Maximum, _rows[tile], _pieces[piece], _op.Type, _op.Type);
            Scale(_x[round], _statistics[tile], tile, piece);
        }
    }

    private void BackwardInPieces(long tile)
    {
        for (int piece = 0; piece < _pieces.Pieces; piece++)
        {
            long round = Round(tile, piece, 0);
            Product(round, tile, piece);
            Sum(round, tile, piece);
            Tile sum = _statistics[tile];
            if (piece == 0)
            {
                _kernel.Copy(StreamId.Vector, sum, _scratch![round], _rows[tile], 1, DataType.Fp32, DataType.Fp32);
            }
            else
            {
                _kernel.TensorTensor(StreamId.Vector, sum, sum, _scratch![round], _rows[tile], 1, DataType.Fp32, DataType.Fp32);
            }
        }

        for (int piece = 0; piece < _pieces.Pieces; piece++)
        {
            long round = Round(tile, piece, 1);
            Load(_x[round], tile, piece);
            LoadGradient(round, tile, piece);
            Gradient(round, _statistics[tile], tile, piece);
        }
    }

    private long Round(long tile, long piece, int pass) => (((tile * 2) + pass) * _pieces.Pieces) + piece;

    private void Load(Tile target, long tile, long piece) =>
        _kernel.Load(StreamId.QueueActivations, target, _rows[tile], (long)_pieces[piece] * _op.Type.ByteSize());

    private void LoadGradient(long round, long tile, int piece) =>
        _kernel.Load(StreamId.QueueWeights, _gradient![round], _rows[tile], (long)_pieces[piece] * _op.Type.ByteSize());

    private void Product(long round, long tile, int piece)
    {
        Load(_x[round], tile, piece);
        LoadGradient(round, tile, piece);
        _kernel.TensorTensor(StreamId.Vector, _scratch![round], _x[round], _gradient![round], _rows[tile], _pieces[piece], _op.Type, _op.Type);
    }

    private void Sum(long round, long tile, int piece) =>
        _kernel.ActivationReduce(ActivationFunction.Identity, _scratch![round], _scratch[round], null, _rows[tile], _pieces[piece], _op.Type, _op.Type);

    /// <summary>(dy - sum(y dy)) y, with the sum as the scalar of each partition.</summary>
    private void Gradient(long round, Tile sum, long tile, int piece)
    {
        int rows = _rows[tile], columns = _pieces[piece];
        _kernel.TensorScalar(StreamId.Vector, _gradient![round], _gradient[round], sum, rows, columns, _op.Type, _op.Type);
        _kernel.TensorTensor(StreamId.Vector, _x[round], _gradient[round], _x[round], rows, columns, _op.Type, _op.Type);
        _kernel.Store(StreamId.QueueStores, _x[round], rows, (long)columns * _op.Type.ByteSize());
    }

    private void Scale(Tile x, Tile factor, long tile, int piece)
    {
        _kernel.TensorScalar(StreamId.Vector, x, x, factor, _rows[tile], _pieces[piece], _op.Type, _op.Type);
        _kernel.Store(StreamId.QueueStores, x, _rows[tile], (long)_pieces[piece] * _op.Type.ByteSize());
    }
}
