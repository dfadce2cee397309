using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Backward of RMS and layer normalization, with n = (x - mean) / deviation and t = dy gain.</summary>
/// <remarks>
/// dx = (t - mean(t) - n mean(t n)) / deviation, without mean(t) for RMS. The gradients of gain and shift are sums over rows of dy n and
/// dy: a column of ones times the tile on the array, which accumulates in PSUM over all tiles. Where the banks do not hold them as rows, they are held as columns of one bank:
/// the tile times a column of ones.
/// A program beyond the instruction limit is cut; each further part reads the parameters and writes their gradient again.
/// </remarks>
internal sealed class NormBackwardKernel
{
    /// <summary>Elements of the statistics of a row: those of the forward pass, then the sums of t n and of t, and the factors of n and 1.</summary>
    private const int Statistics = NormKernel.Statistics + 4;

    private readonly Norm _op;
    private readonly KernelBuilder _kernel;
    private readonly RowTiling _rows;
    private readonly ColumnTiling _pieces;
    private readonly int _columns;
    private readonly NormParameters _parameters;
    private readonly TileBuffer _x;
    private readonly TileBuffer _dy;
    private readonly TileBuffer _t;
    private readonly TileBuffer _scratch;
    private readonly TileBuffer _statistics;
    private readonly TileBuffer _ones;
    private readonly TileBuffer _banks;
    private readonly TileBuffer? _pieceStatistics;
    private readonly MemoryTensor _input;
    private readonly MemoryTensor _gradientTensor;
    private readonly MemoryTensor _output;
    private readonly MemoryTensor _parameterGradients;
    private readonly bool _resident;

    private NormBackwardKernel(Norm op, Accelerator machine, long rows, bool values)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name, values);
        _gradientTensor = _kernel.Input("gradient", rows, op.Columns, op.Type);
        _input = _kernel.Input("x", rows, op.Columns, op.Type);
        MemoryTensor parameters = _kernel.Input("parameters", op.ParameterVectors, op.Columns, op.Type);
        _output = _kernel.Output("gradient of x", rows, op.Columns, op.Type);
        _parameterGradients = _kernel.Output("gradient of the parameters", op.ParameterVectors, op.Columns, op.Type);
        _rows = new RowTiling(rows, _kernel.Partitions);
        _pieces = new ColumnTiling(op.Columns, _kernel.BankColumns);
        _columns = checked((int)op.Columns);
        _resident = _pieces.Pieces * op.ParameterVectors <= machine.Psum.Banks;
        _parameters = new NormParameters(_kernel, parameters);
        _ones = _kernel.Sbuf("ones", _kernel.Partitions, op.Type);
        _banks = _kernel.Psum("sums over rows", machine.Psum.Banks);
        long row = op.Columns * op.Type.ByteSize();
        long pieces = op.Function == NormFunction.Layer ? NormKernel.PieceElements(op.Columns) : 0;
        int copies = Placement.RequireCopies(_kernel, op.Name, "four rows of a token", (4 * row) + (pieces * sizeof(float)) + (Statistics * sizeof(float)), 0, NormKernel.WholeRow);
        _x = _kernel.Sbuf("x", op.Columns, op.Type, copies);
        _dy = _kernel.Sbuf("gradient of y", op.Columns, op.Type, copies);
        _t = _kernel.Sbuf("gradient times gain", op.Columns, op.Type, copies);
        _scratch = _kernel.Sbuf("scratch", op.Columns, op.Type, copies);
        _pieceStatistics = pieces > 0 ? _kernel.Sbuf("statistics pieces", pieces, DataType.Fp32, copies) : null;
        _statistics = _kernel.Sbuf("statistics", Statistics, DataType.Fp32, copies);
    }

    /// <inheritdoc cref="NormKernel.Lower"/>
    public static Lowering Lower(Norm op, Accelerator machine, bool values)
    {
        NormKernel.CheckRow(op, machine);
        long pieces = op.Columns / KernelBuilder.MaximumStatsElements;
        return Placement.Cut(op.Rows, machine.Sbuf.Partitions, 24 + (5 * pieces), rows => new NormBackwardKernel(op, machine, rows, values).Write());
    }

    private (Program, string) Write()
    {
        _kernel.Memset(StreamId.Vector, _ones[0], 1);
        _parameters.Load(_rows[0], _pieces, _x, _ones[0], _banks);
        TilePipeline.Write(_rows.Tiles, _x.Copies, Measure, Normalize, Differentiate);
        StoreParameterGradients();
        string sums = _resident ? "parameter gradients accumulate as rows" : "parameter gradients accumulate as columns";
        return (_kernel.Build(), Placement.Mapping(_kernel.Partitions, _x.Copies, sums));
    }

    private TileView Of(TileBuffer buffer, long tile) => buffer[tile][.._rows[tile], ..];

    private TileView Statistic(long tile, int element) => _statistics[tile][.._rows[tile], element..(element + 1)];

    private void Measure(long tile)
    {
        TileView x = Of(_x, tile);
        _kernel.Load(StreamId.QueueActivations, x, _input.Part(_rows.Start(tile), _rows[tile]));
        _kernel.Load(StreamId.QueueSmall, Of(_dy, tile), _gradientTensor.Part(_rows.Start(tile), _rows[tile]));
        NormKernel.WriteMoments(_kernel, Of(_statistics, tile), (_pieceStatistics ?? _scratch)[tile], x, _op);
    }

    private void Normalize(long tile)
    {
        TileView x = Of(_x, tile), t = Of(_t, tile);
        NormKernel.WriteInverse(_kernel, Of(_statistics, tile), _op);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, t, Of(_dy, tile), _parameters[0][.._rows[tile], ..]);
        NormKernel.WriteScaled(_kernel, x, x, Statistic(tile, 2), _op.Function == NormFunction.Layer ? Statistic(tile, 3) : null, _op);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, Of(_scratch, tile), t, x);
    }

    private void Differentiate(long tile)
    {
        TileView x = Of(_x, tile), dy = Of(_dy, tile), t = Of(_t, tile), scratch = Of(_scratch, tile), inverse = Statistic(tile, 2);
        bool layer = _op.Function == NormFunction.Layer;
        if (layer)
        {
            SumRows(1, dy, tile);
            _kernel.TensorReduce(AluOperator.Add, Statistic(tile, 5), t);
            WriteMean(Statistic(tile, 7), Statistic(tile, 5), inverse);
        }

        _kernel.ActivationReduce(ActivationFunction.Identity, scratch, Statistic(tile, 4), scratch);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, dy, dy, x);
        SumRows(0, dy, tile);
        WriteMean(Statistic(tile, 6), Statistic(tile, 4), inverse);
        NormKernel.WriteScaled(_kernel, scratch, x, Statistic(tile, 6), layer ? Statistic(tile, 7) : null, _op);
        _kernel.ScalarTensorTensor(t, t, AluOperator.Multiply, inverse, AluOperator.Subtract, scratch);
        _kernel.Store(StreamId.QueueStores, _output.Part(_rows.Start(tile), _rows[tile]), t);
    }

    /// <summary>The mean of what was summed, over the deviation.</summary>
    private void WriteMean(in TileView mean, in TileView sum, in TileView inverse) =>
        _kernel.ScalarTensorTensor(mean, sum, AluOperator.Multiply, 1f / _op.Columns, AluOperator.Multiply, inverse);

    private void SumRows(int vector, in TileView source, long tile)
    {
        for (int piece = 0; piece < (_resident ? _pieces.Pieces : Strips); piece++)
        {
            if (_resident)
            {
                int start = (int)_pieces.Start(piece), width = _pieces[piece];
                _kernel.MatMul(_banks[((long)vector * _pieces.Pieces) + piece][..1, ..width], _ones[0][.._rows[tile], ..1], source.Columns(start, width), tile > 0);
            }
            else
            {
                int start = piece * _kernel.Partitions, width = Math.Min(_kernel.Partitions, _columns - start), column = (vector * Strips) + piece;
                _kernel.MatMul(_banks[0][..width, column..(column + 1)], source.Columns(start, width), _ones[0][.._rows[tile], ..1], tile > 0);
            }
        }
    }

    /// <summary>Columns of the bank that hold a parameter's gradient, one partition per element.</summary>
    private int Strips => (_columns + _kernel.Partitions - 1) / _kernel.Partitions;

    /// <summary>Rounds the sums where a gradient of y was and stores them.</summary>
    private void StoreParameterGradients()
    {
        for (int vector = 0; vector < _op.ParameterVectors; vector++)
        {
            Tile rounded = _dy[vector];
            for (int piece = 0; _resident && piece < _pieces.Pieces; piece++)
            {
                int start = (int)_pieces.Start(piece), width = _pieces[piece];
                _kernel.Copy(StreamId.Vector, rounded[..1, start..(start + width)], _banks[((long)vector * _pieces.Pieces) + piece][..1, ..width]);
            }

            if (_resident)
            {
                _kernel.Store(StreamId.QueueStores, _parameterGradients.Part(vector, 1), rounded[..1, ..]);
                continue;
            }

            int whole = _columns / _kernel.Partitions, rest = _columns % _kernel.Partitions;
            StoreStrips(vector, rounded, 0, whole, _kernel.Partitions);
            StoreStrips(vector, rounded, whole, rest == 0 ? 0 : 1, rest);
        }
    }

    private void StoreStrips(int vector, Tile rounded, int first, int count, int height)
    {
        if (count > 0)
        {
            int column = (vector * Strips) + first;
            TileView part = rounded[..height, first..(first + count)];
            _kernel.Copy(StreamId.Vector, part, _banks[0][..height, column..(column + count)]);
            _kernel.Store(StreamId.QueueStores, _parameterGradients.Flat(((long)vector * _columns) + ((long)first * _kernel.Partitions), height, 1).Blocks(count, _kernel.Partitions), part);
        }
    }
}
