using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>RMS and layer normalization: a row per partition, the whole row in SBUF, in place.</summary>
internal sealed class NormKernel
{
    /// <summary>Elements of the statistics of a row: mean, variance (or sum of squares), inverse deviation, -mean times that.</summary>
    internal const int Statistics = 4;

    /// <summary>Added to the variance or mean square; assumed, for operators do not say.</summary>
    internal const float Epsilon = 1e-5f;

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
    private readonly MemoryTensor _input;
    private readonly MemoryTensor _output;

    private NormKernel(Norm op, Accelerator machine, long rows, bool values)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name, values);
        _input = _kernel.Input("x", rows, op.Columns, op.Type);
        MemoryTensor parameters = _kernel.Input("parameters", op.ParameterVectors, op.Columns, op.Type);
        _output = _kernel.Output("output", rows, op.Columns, op.Type);
        _rows = new RowTiling(rows, _kernel.Partitions);
        _pieces = new ColumnTiling(op.Columns, _kernel.BankColumns);
        _columns = checked((int)op.Columns);
        _parameters = new NormParameters(_kernel, parameters);
        _ones = _kernel.Sbuf("ones", _kernel.Partitions, op.Type);
        _banks = _kernel.Psum("broadcast", 2);
        int copies = Placement.RequireCopies(_kernel, op.Name, "a row with its scratch", BytesPerCopy(op), 0, WholeRow);
        _x = _kernel.Sbuf("x", op.Columns, op.Type, copies);
        _scratch = op.Function == NormFunction.Rms ? _kernel.Sbuf("squares", op.Columns, op.Type, copies) : _kernel.Sbuf("statistics pieces", PieceElements(op.Columns), DataType.Fp32, copies);
        _statistics = _kernel.Sbuf("statistics", Statistics, DataType.Fp32, copies);
    }

    /// <summary>Why a row is not divided over several tiles.</summary>
    internal const string WholeRow = "A row is normalized as a whole; split the columns over more cores or use a machine with more SBUF.";

    /// <summary>Lowers either direction.</summary>
    /// <exception cref="CapacityException">A row does not fit SBUF.</exception>
    public static Lowering Lower(Norm op, Accelerator machine, bool values = false)
    {
        if (op.Backward)
        {
            return NormBackwardKernel.Lower(op, machine, values);
        }

        if (NormFewRowsKernel.Suits(op, machine))
        {
            return NormFewRowsKernel.Lower(op, machine, values);
        }

        CheckRow(op, machine);
        long instructions = 12 + (op.Columns / KernelBuilder.MaximumStatsElements);
        return Placement.Cut(op.Rows, machine.Sbuf.Partitions, instructions, rows => new NormKernel(op, machine, rows, values).Write());
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
        ? op.Columns * op.Type.ByteSize()
        : PieceElements(op.Columns) * sizeof(float);

    /// <summary>Mean and variance pieces of a row.</summary>
    internal static long PieceElements(long columns) =>
        new ColumnTiling(columns, KernelBuilder.MaximumStatsElements).Pieces * (long)KernelBuilder.StatsPerPiece;

    private static long BytesPerCopy(Norm op) => (op.Columns * op.Type.ByteSize()) + ScratchBytes(op) + (Statistics * sizeof(float));

    private (Program, string) Write()
    {
        _kernel.Memset(StreamId.Vector, _ones[0][..1, ..], 1);
        _parameters.Load(_rows[0], _pieces, _x, _ones[0], _banks);
        TilePipeline.Write(_rows.Tiles, _x.Copies, Measure, Invert, Scale);
        return (_kernel.Build(), Placement.Mapping(_kernel.Partitions, _x.Copies));
    }

    private void Measure(long tile)
    {
        int rows = _rows[tile];
        TileView x = _x[tile][..rows, ..];
        _kernel.Load(StreamId.QueueActivations, x, _input.Part(_rows.Start(tile), rows));
        WriteMoments(_kernel, _statistics[tile][..rows, ..], _scratch[tile], x, _op);
    }

    /// <summary>The sum of squares of each row, or its mean and variance in pieces of 512 elements.</summary>
    internal static void WriteMoments(KernelBuilder kernel, in TileView statistics, Tile scratch, in TileView x, Norm op)
    {
        int rows = x.Partitions;
        if (op.Function == NormFunction.Rms)
        {
            kernel.ActivationReduce(ActivationFunction.Square, scratch[..rows, ..(int)op.Columns], One(statistics, 1), x);
            return;
        }

        var tiling = new ColumnTiling(op.Columns, KernelBuilder.MaximumStatsElements);
        for (int piece = 0; piece < tiling.Pieces; piece++)
        {
            int start = (int)tiling.Start(piece), at = piece * KernelBuilder.StatsPerPiece;
            kernel.BatchNormStats(scratch[..rows, at..(at + KernelBuilder.StatsPerPiece)], x.Columns(start, tiling[piece]));
        }

        kernel.BatchNormAggregate(statistics with { Free = FreePattern.Row(2) }, scratch[..rows, ..(tiling.Pieces * KernelBuilder.StatsPerPiece)]);
    }

    /// <summary>One of the <see cref="Statistics"/>.</summary>
    internal static TileView One(in TileView statistics, int element) => statistics.Columns(element, 1);

    private void Invert(long tile) => WriteInverse(_kernel, _statistics[tile][.._rows[tile], ..], _op);

    /// <summary>(mean square or variance + epsilon)^-1/2 as two scalar operations; for layer normalization also -mean times it.</summary>
    internal static void WriteInverse(KernelBuilder kernel, in TileView statistics, Norm op)
    {
        TileView inverse = One(statistics, 2);
        kernel.TensorScalar(StreamId.Vector, inverse, One(statistics, 1), AluOperator.Multiply, op.Function == NormFunction.Rms ? 1f / op.Columns : 1, AluOperator.Add, Epsilon);
        kernel.TensorScalar(StreamId.Vector, inverse, inverse, AluOperator.Power, -0.5f);
        if (op.Function == NormFunction.Layer)
        {
            kernel.ScalarTensorTensor(One(statistics, 3), One(statistics, 0), AluOperator.Multiply, -1, AluOperator.Multiply, inverse);
        }
    }

    private void Scale(long tile)
    {
        int rows = _rows[tile];
        TileView x = _x[tile][..rows, ..], statistics = _statistics[tile][..rows, ..];
        WriteScaled(_kernel, x, x, One(statistics, 2), _op.Function == NormFunction.Layer ? One(statistics, 3) : null, _op);
        for (int vector = 0; vector < _op.ParameterVectors; vector++)
        {
            _kernel.TensorTensor(StreamId.Vector, vector == 0 ? AluOperator.Multiply : AluOperator.Add, x, x, _parameters[vector][..rows, ..]);
        }

        _kernel.Store(StreamId.QueueStores, _output.Part(_rows.Start(tile), rows), x);
    }

    /// <summary>x scale + shift with values per partition, on the vector engine where it scales 16-bit data at four elements a cycle, else on the scalar engine.</summary>
    internal static void WriteScaled(KernelBuilder kernel, in TileView target, in TileView x, in TileView scale, TileView? shift, Norm op)
    {
        ScalarOperand added = shift is { } view ? view : 0;
        if (kernel.Machine.VectorEngine.FastModes && op.Type.ByteSize() <= 2)
        {
            kernel.TensorScalar(StreamId.Vector, target, x, AluOperator.Multiply, scale, shift is null ? AluOperator.Bypass : AluOperator.Add, added);
        }
        else
        {
            kernel.Activation(ActivationFunction.Identity, target, x, added, scale);
        }
    }
}
