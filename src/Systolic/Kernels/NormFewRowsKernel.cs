using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Normalization of a few tokens, as in a decode step: the features of each lie over all partitions, so every lane works.</summary>
/// <remarks>
/// Each partition sums its features; a square of ones on the array adds the partitions and leaves the total in all of them. The public decode
/// kernels do the same: tokens x features / 128 elements per lane. Where the features do not fill the partitions evenly, zeros fill the last.
/// </remarks>
internal sealed class NormFewRowsKernel
{
    private const int TokensPerLanes = 8;

    private readonly Norm _op;
    private readonly KernelBuilder _kernel;
    private readonly FlatChunk _row;
    private readonly int _tokens;
    private readonly int _free;
    private readonly MemoryTensor _input;
    private readonly MemoryTensor _vectors;
    private readonly MemoryTensor _output;

    private NormFewRowsKernel(Norm op, Accelerator machine, bool values)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name, values);
        int width = checked((int)((op.Columns + _kernel.Partitions - 1) / _kernel.Partitions));
        _row = new FlatTiling(op.Columns, _kernel.Partitions, width)[0];
        _tokens = (int)op.Rows;
        _free = checked(_tokens * width);
        _input = _kernel.Input("x", op.Rows, op.Columns, op.Type);
        _vectors = _kernel.Input("parameters", op.ParameterVectors, op.Columns, op.Type);
        _output = _kernel.Output("output", op.Rows, op.Columns, op.Type);
    }

    /// <summary>A token per partition would leave seven of eight lanes idle.</summary>
    public static bool Suits(Norm op, Accelerator machine) => !op.Backward && op.Rows * TokensPerLanes <= machine.Sbuf.Partitions;

    /// <summary>Lowers the forward direction.</summary>
    public static Lowering Lower(Norm op, Accelerator machine, bool values)
    {
        var kernel = new NormFewRowsKernel(op, machine, values);
        return Lowering.Of(kernel.Write(), FormattableString.Invariant($"features over {kernel._row.Partitions} partitions, 1 buffer"));
    }

    private Program Write()
    {
        Tile tile = _kernel.Sbuf("x", _free, _op.Type)[0];
        TileBuffer parameters = _kernel.Sbuf("parameters", _row.Width, _op.Type, _op.ParameterVectors);
        if (_row.Rest > 0)
        {
            _kernel.Memset(StreamId.GpSimd, tile[.._row.Partitions, ..], 0);
        }

        MoveTokens((memory, part) => _kernel.Load(StreamId.QueueActivations, part, memory), _input, tile);
        for (int vector = 0; vector < _op.ParameterVectors; vector++)
        {
            (_row with { Start = vector * _op.Columns }).Load(_kernel, StreamId.QueueSmall, parameters[vector], _vectors);
        }

        TileView x = tile[.._row.Partitions, .._free];
        (TileView inverse, TileView shift) = WriteStatistics(x);
        Combine(x, inverse.Spread(_row.Width), AluOperator.Multiply);
        if (_op.Function == NormFunction.Layer)
        {
            Combine(x, shift.Spread(_row.Width), AluOperator.Add);
        }

        for (int vector = 0; vector < _op.ParameterVectors; vector++)
        {
            Combine(x, _row.Of(parameters[vector]).Repeat(_tokens, 0), vector == 0 ? AluOperator.Multiply : AluOperator.Add);
        }

        MoveTokens((memory, part) => _kernel.Store(StreamId.QueueStores, memory, part), _output, tile);
        return _kernel.Build();
    }

    /// <summary>Sums of squares (and for layer normalization of the elements) per partition, added over partitions; then the inverse deviation and -mean times it.</summary>
    private (TileView Inverse, TileView Shift) WriteStatistics(in TileView x)
    {
        int partitions = _row.Partitions, sums = _tokens * _op.ParameterVectors;
        TileView ones = _kernel.Sbuf("ones", partitions, DataType.Fp32)[0][..partitions, ..];
        TileView squares = _kernel.Sbuf("squares", _free, DataType.Fp32)[0][..partitions, ..];
        Tile partial = _kernel.Sbuf("sums of a partition", sums, DataType.Fp32)[0];
        Tile statistics = _kernel.Sbuf("statistics", 4L * _tokens, DataType.Fp32)[0];
        TileView total = _kernel.Psum("sums over partitions", 1)[0][..partitions, ..sums];
        _kernel.Memset(StreamId.Vector, ones, 1);
        _kernel.Activation(ActivationFunction.Square, squares, x);
        if (_op.Function == NormFunction.Layer)
        {
            _kernel.TensorReduce(AluOperator.Add, partial[..partitions, _tokens..], x);
        }

        _kernel.TensorReduce(AluOperator.Add, partial[..partitions, .._tokens], squares);
        _kernel.MatMul(total, ones, partial[..partitions, ..], false);
        return WriteInverse(total, statistics[..partitions, ..]);
    }

    private (TileView Inverse, TileView Shift) WriteInverse(in TileView total, in TileView statistics)
    {
        float share = 1f / _op.Columns;
        TileView squares = Part(total, 0), inverse = Part(statistics, 0), mean = Part(statistics, 1), variance = Part(statistics, 2), shift = Part(statistics, 3);
        if (_op.Function == NormFunction.Rms)
        {
            _kernel.TensorScalar(StreamId.Vector, inverse, squares, AluOperator.Multiply, share, AluOperator.Add, NormKernel.Epsilon);
            _kernel.TensorScalar(StreamId.Vector, inverse, inverse, AluOperator.Power, -0.5f);
            return (inverse, inverse);
        }

        _kernel.TensorScalar(StreamId.Vector, mean, Part(total, 1), AluOperator.Multiply, share);
        _kernel.ScalarTensorTensor(variance, mean, AluOperator.Multiply, -1, AluOperator.Multiply, mean);
        _kernel.ScalarTensorTensor(variance, squares, AluOperator.Multiply, share, AluOperator.Add, variance);
        _kernel.TensorScalar(StreamId.Vector, inverse, variance, AluOperator.Add, NormKernel.Epsilon, AluOperator.Power, -0.5f);
        _kernel.ScalarTensorTensor(shift, mean, AluOperator.Multiply, -1, AluOperator.Multiply, inverse);
        return (inverse, shift);
    }

    /// <summary>The values of all tokens at place <paramref name="number"/>.</summary>
    private TileView Part(in TileView view, int number) => view.Columns(number * _tokens, _tokens);

    private void Combine(in TileView x, in TileView other, AluOperator op) => _kernel.TensorTensor(StreamId.Vector, op, x, x, other);

    /// <summary>Moves the features of all tokens, a run in each partition; the last partition may hold fewer.</summary>
    private void MoveTokens(Action<MemoryView, TileView> move, MemoryTensor tensor, Tile tile)
    {
        int width = _row.Width, full = _row.FullPartitions;
        move(tensor.Flat(0, full, width).Blocks(_tokens, _op.Columns), tile[..full, .._free]);
        if (_row.Rest > 0)
        {
            move(tensor.Flat((long)full * width, 1, _row.Rest).Blocks(_tokens, _op.Columns), tile[full..(full + 1), .._row.Rest].Repeat(_tokens, width));
        }
    }
}
