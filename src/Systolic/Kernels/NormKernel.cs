using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>RMS and layer normalization: a row per partition, the whole row in SBUF, in place.</summary>
internal sealed class NormKernel
{
    private const int Statistics = 4;

    private readonly Norm _op;
    private readonly KernelBuilder _kernel;
    private readonly RowTiling _rows;
    private readonly ColumnTiling _pieces;
    private readonly int _columns;
    private readonly NormParameters _parameters;
    private readonly TileBuffer _x;
    private readonly TileBuffer _scratch;
    private readonly TileBuffer _statistics;
    private readonly TileBuffer _ones;
    private readonly TileBuffer _banks;

    private NormKernel(Norm op, Accelerator machine, long rows)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name);
        _rows = new RowTiling(rows, _kernel.Partitions);
        _pieces = new ColumnTiling(op.Columns, _kernel.BankColumns);
        _columns = checked((int)op.Columns);
        _parameters = new NormParameters(_kernel, op.ParameterVectors, op.Columns, op.Type);
        _ones = _kernel.Sbuf("ones", _kernel.Partitions * (long)op.Type.ByteSize());
        _banks = _kernel.Psum("broadcast", 2);
        int copies = Placement.RequireCopies(_kernel, op.Name, "a row with its scratch", BytesPerCopy(op), 0, WholeRow);
        _x = _kernel.Sbuf("x", op.Columns * op.Type.ByteSize(), copies);
        _scratch = _kernel.Sbuf(op.Function == NormFunction.Rms ? "squares" : "statistics pieces", ScratchBytes(op), copies);
        _statistics = _kernel.Sbuf("statistics", Statistics * sizeof(float), copies);
    }

    /// <summary>Why a row is not divided over several tiles.</summary>
    internal const string WholeRow = "A row is normalized as a whole; split the columns over more cores or use a machine with more SBUF.";

    /// <summary>Lowers either direction.</summary>
    /// <exception cref="CapacityException">A row does not fit SBUF.</exception>
    public static Lowering Lower(Norm op, Accelerator machine)
    {
        if (op.Backward)
        {
            return NormBackwardKernel.Lower(op, machine);
        }

        if (NormFewRowsKernel.Suits(op, machine))
        {
            return NormFewRowsKernel.Lower(op, machine);
        }

        CheckRow(op, machine);
        long instructions = 12 + (op.Columns / KernelBuilder.MaximumStatsElements);
        return Placement.Cut(op.Rows, machine.Sbuf.Partitions, instructions, rows => new NormKernel(op, machine, rows).Write());
    }

    /// <summary>Refuses a row that no buffer could hold before anything is placed.</summary>
    internal static void CheckRow(Norm op, Accelerator machine)
    {
        if (op.Columns * (1 + op.ParameterVectors) > machine.Sbuf.PartitionSize.Value / op.Type.ByteSize())
        {
            throw new CapacityException(FormattableString.Invariant(
                $"{op.Name}: a row of {op.Columns} {op.Type.Label()} and its parameters do not fit the {machine.Sbuf.PartitionSize} of an SBUF partition of {machine.Name}. {WholeRow}"));
        }
    }

    private static long ScratchBytes(Norm op) => op.Function == NormFunction.Rms
        ? (op.Columns * op.Type.ByteSize()) + sizeof(float)
        : PieceBytes(op.Columns);

    /// <summary>Mean and variance pieces of a row.</summary>
    internal static long PieceBytes(long columns) =>
        new ColumnTiling(columns, KernelBuilder.MaximumStatsElements).Pieces * (long)KernelBuilder.StatsPerPiece * sizeof(float);

    private static long BytesPerCopy(Norm op) => (op.Columns * op.Type.ByteSize()) + ScratchBytes(op) + (Statistics * sizeof(float));

    private (Program, string) Write()
    {
        _kernel.Memset(StreamId.Vector, _ones[0], 1, _kernel.Partitions, _op.Type);
        _parameters.Load(_rows[0], _pieces, _x, _ones[0], _banks);
        TilePipeline.Write(_rows.Tiles, _x.Copies, Measure, Invert, Scale);
        return (_kernel.Build(), Placement.Mapping(_kernel.Partitions, _x.Copies));
    }

    private void Measure(long tile)
    {
        int rows = _rows[tile];
        _kernel.Load(StreamId.QueueActivations, _x[tile], rows, (long)_columns * _op.Type.ByteSize());
        if (_op.Function == NormFunction.Rms)
        {
            _kernel.ActivationReduce(ActivationFunction.Square, _scratch[tile], _x[tile], null, rows, _columns, _op.Type, _op.Type);
        }
        else
        {
            WriteMoments(_kernel, _statistics[tile], _scratch[tile], _x[tile], rows, _op);
        }
    }

    /// <summary>Mean and variance of each row in pieces of 512 elements.</summary>
    internal static void WriteMoments(KernelBuilder kernel, Tile statistics, Tile pieces, Tile x, int rows, Norm op)
    {
        var tiling = new ColumnTiling(op.Columns, KernelBuilder.MaximumStatsElements);
        for (int piece = 0; piece < tiling.Pieces; piece++)
        {
            kernel.BatchNormStats(pieces, x, rows, tiling[piece], op.Type);
        }

        kernel.BatchNormAggregate(statistics, pieces, rows, tiling.Pieces);
    }

    /// <summary>(mean square or variance + epsilon)^-1/2 as two scalar operations; for layer normalization also -mean times it.</summary>
    private void Invert(long tile) => WriteInverse(_kernel, _statistics[tile], _op.Function == NormFunction.Rms ? _scratch[tile] : _statistics[tile], _rows[tile], _op);

    /// <inheritdoc cref="Invert"/>
    internal static void WriteInverse(KernelBuilder kernel, Tile statistics, Tile source, int rows, Norm op, int free = 1)
    {
        kernel.TensorScalar(StreamId.Vector, statistics, source, null, rows, free, DataType.Fp32, DataType.Fp32);
        kernel.TensorScalar(StreamId.Vector, statistics, statistics, null, rows, free, DataType.Fp32, DataType.Fp32);
        if (op.Function == NormFunction.Layer)
        {
            kernel.ScalarTensorTensor(statistics, statistics, statistics, rows, free, DataType.Fp32, DataType.Fp32);
        }
    }

    private void Scale(long tile)
    {
        int rows = _rows[tile];
        WriteNormalized(_kernel, _x[tile], _x[tile], _statistics[tile], rows, _op);
        for (int vector = 0; vector < _op.ParameterVectors; vector++)
        {
            _kernel.TensorTensor(StreamId.Vector, _x[tile], _x[tile], _parameters[vector], rows, _columns, _op.Type, _op.Type);
        }

        _kernel.Store(StreamId.QueueStores, _x[tile], rows, (long)_columns * _op.Type.ByteSize());
    }

    /// <summary>Scale and shift by a value per partition, such as (x - mean) / deviation, on the vector engine where it scales 16-bit data at four elements a cycle, else on the scalar engine.</summary>
    internal static void WriteNormalized(KernelBuilder kernel, Tile target, Tile x, Tile statistics, int rows, Norm op)
    {
        if (kernel.Machine.VectorEngine.FastModes && op.Type.ByteSize() <= 2)
        {
            kernel.TensorScalar(StreamId.Vector, target, x, statistics, rows, (int)op.Columns, op.Type, op.Type);
        }
        else
        {
            kernel.Activation(ActivationFunction.Identity, target, x, statistics, rows, (int)op.Columns, op.Type, op.Type);
        }
    }
}
