using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Backward of RMS and layer normalization, with n = (x - mean) / deviation and t = dy gain.</summary>
/// <remarks>
/// dx = (t - mean(t) - n mean(t n)) / deviation, without mean(t) for RMS. The gradients of gain and shift are sums over rows of dy n and
/// dy: a column of ones times the tile on the array, which accumulates in PSUM over all tiles where the banks suffice, else in SBUF.
/// A program beyond the instruction limit is cut; each further part reads the parameters and writes their gradient again.
/// </remarks>
internal sealed class NormBackwardKernel
{
    private const int Statistics = 8;

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
    private readonly TileBuffer _gradients;
    private readonly TileBuffer _banks;
    private readonly bool _resident;
    private long _bankRound;

    private NormBackwardKernel(Norm op, Accelerator machine, long rows)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name);
        _rows = new RowTiling(rows, _kernel.Partitions);
        _pieces = new ColumnTiling(op.Columns, _kernel.BankColumns);
        _columns = checked((int)op.Columns);
        _resident = _pieces.Pieces * op.ParameterVectors <= machine.Psum.Banks;
        _parameters = new NormParameters(_kernel, op.ParameterVectors, op.Columns, op.Type);
        _ones = _kernel.Sbuf("ones", _kernel.Partitions * (long)op.Type.ByteSize());
        _banks = _kernel.Psum("sums over rows", machine.Psum.Banks);
        long row = op.Columns * op.Type.ByteSize();
        long scratch = Math.Max(row + sizeof(float), NormKernel.PieceBytes(op.Columns));
        long gradients = op.Columns * sizeof(float);
        int copies = Placement.RequireCopies(_kernel, op.Name, "four rows of a token and the parameter gradient", (3 * row) + scratch + (Statistics * sizeof(float)),
            gradients * op.ParameterVectors, NormKernel.WholeRow);
        _gradients = _kernel.Sbuf("parameter gradients", gradients, op.ParameterVectors);
        _x = _kernel.Sbuf("x", row, copies);
        _dy = _kernel.Sbuf("gradient of y", row, copies);
        _t = _kernel.Sbuf("gradient times gain", row, copies);
        _scratch = _kernel.Sbuf("scratch", scratch, copies);
        _statistics = _kernel.Sbuf("statistics", Statistics * sizeof(float), copies);
    }

    /// <inheritdoc cref="NormKernel.Lower"/>
    public static Lowering Lower(Norm op, Accelerator machine)
    {
        NormKernel.CheckRow(op, machine);
        long pieces = op.Columns / KernelBuilder.MaximumStatsElements;
        return Placement.Cut(op.Rows, machine.Sbuf.Partitions, 24 + (5 * pieces), rows => new NormBackwardKernel(op, machine, rows).Write());
    }

    private (Program, string) Write()
    {
        _kernel.Memset(StreamId.Vector, _ones[0], _kernel.Partitions, _kernel.Partitions, _op.Type);
        _parameters.Load(_rows[0], _pieces, _x, _ones[0], _banks);
        TilePipeline.Write(_rows.Tiles, _x.Copies, Measure, Normalize, Differentiate);
        StoreParameterGradients();
        string sums = _resident ? "parameter gradients accumulate in PSUM" : "parameter gradients accumulate in SBUF";
        return (_kernel.Build(), Placement.Mapping(_kernel.Partitions, _x.Copies, sums));
    }

    private void Measure(long tile)
    {
        int rows = _rows[tile];
        long bytes = (long)_columns * _op.Type.ByteSize();
        _kernel.Load(StreamId.QueueActivations, _x[tile], rows, bytes);
        _kernel.Load(StreamId.QueueWeights, _dy[tile], rows, bytes);
        if (_op.Function == NormFunction.Rms)
        {
            _kernel.ActivationReduce(ActivationFunction.Square, _scratch[tile], _x[tile], null, rows, _columns, _op.Type, _op.Type);
        }
        else
        {
            NormKernel.WriteMoments(_kernel, _statistics[tile], _scratch[tile], _x[tile], rows, _op);
        }
    }

    private void Normalize(long tile)
    {
        int rows = _rows[tile];
        NormKernel.WriteInverse(_kernel, _statistics[tile], _op.Function == NormFunction.Rms ? _scratch[tile] : _statistics[tile], rows, _op);
        _kernel.TensorTensor(StreamId.Vector, _t[tile], _dy[tile], _parameters[0], rows, _columns, _op.Type, _op.Type);
        NormKernel.WriteNormalized(_kernel, _x[tile], _x[tile], _statistics[tile], rows, _op);
        _kernel.TensorTensor(StreamId.Vector, _scratch[tile], _t[tile], _x[tile], rows, _columns, _op.Type, _op.Type);
    }

    private void Differentiate(long tile)
    {
        int rows = _rows[tile];
        if (_op.Function == NormFunction.Layer)
        {
            SumRows(1, _dy[tile], tile);
            _kernel.TensorReduce(_statistics[tile], _t[tile], rows, _columns, _op.Type, DataType.Fp32);
        }

        _kernel.ActivationReduce(ActivationFunction.Identity, _scratch[tile], _scratch[tile], null, rows, _columns, _op.Type, _op.Type);
        _kernel.TensorTensor(StreamId.Vector, _dy[tile], _dy[tile], _x[tile], rows, _columns, _op.Type, _op.Type);
        SumRows(0, _dy[tile], tile);
        _kernel.ScalarTensorTensor(_statistics[tile], _statistics[tile], _scratch[tile], rows, 1, DataType.Fp32, DataType.Fp32);
        NormKernel.WriteNormalized(_kernel, _scratch[tile], _x[tile], _statistics[tile], rows, _op);
        _kernel.ScalarTensorTensor(_t[tile], _t[tile], _scratch[tile], rows, _columns, _op.Type, _op.Type);
        _kernel.Store(StreamId.QueueStores, _t[tile], rows, (long)_columns * _op.Type.ByteSize());
    }

    private void SumRows(int vector, Tile source, long tile)
    {
        for (int piece = 0; piece < _pieces.Pieces; piece++)
        {
            int width = _pieces[piece];
            Tile bank = _banks[_resident ? ((long)vector * _pieces.Pieces) + piece : _bankRound++];
            _kernel.MatMul(bank, _ones[0], source, _rows[tile], 1, width, _op.Type, _resident && tile > 0);
            if (!_resident)
            {
                Drain(_gradients[vector], bank, width, tile == 0);
            }
        }
    }

    private void Drain(Tile gradient, Tile bank, int width, bool first)
    {
        if (first)
        {
            _kernel.Copy(StreamId.Vector, gradient, bank, 1, width, DataType.Fp32, DataType.Fp32);
        }
        else
        {
            _kernel.TensorTensor(StreamId.Vector, gradient, bank, gradient, 1, width, DataType.Fp32, DataType.Fp32);
        }
    }

    private void StoreParameterGradients()
    {
        for (int vector = 0; vector < _op.ParameterVectors; vector++)
        {
            for (int piece = 0; _resident && piece < _pieces.Pieces; piece++)
            {
                _kernel.Copy(StreamId.Vector, _gradients[vector], _banks[((long)vector * _pieces.Pieces) + piece], 1, _pieces[piece], DataType.Fp32, _op.Type);
            }

            if (!_resident)
            {
                _kernel.Copy(StreamId.Vector, _gradients[vector], _gradients[vector], 1, _columns, DataType.Fp32, _op.Type);
            }

            _kernel.Store(StreamId.QueueStores, _gradients[vector], 1, (long)_columns * _op.Type.ByteSize());
        }
    }
}
