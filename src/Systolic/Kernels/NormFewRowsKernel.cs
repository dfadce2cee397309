using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Normalization of a few tokens, as in a decode step: the features of each lie over all partitions, so every lane works.</summary>
/// <remarks>
/// Each partition sums its features; a square of ones on the array adds the partitions and leaves the total in all of them. The public decode
/// kernels do the same: tokens x features / 128 elements per lane.
/// </remarks>
internal sealed class NormFewRowsKernel
{
    private const int TokensPerLanes = 8;

    private readonly Norm _op;
    private readonly KernelBuilder _kernel;
    private readonly FlatChunk _row;
    private readonly int _tokens;
    private readonly int _free;

    private NormFewRowsKernel(Norm op, Accelerator machine)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name);
        int width = checked((int)((op.Columns + _kernel.Partitions - 1) / _kernel.Partitions));
        _row = new FlatTiling(op.Columns, _kernel.Partitions, width)[0];
        _tokens = (int)op.Rows;
        _free = checked(_tokens * width);
    }

    /// <summary>A token per partition would leave seven of eight lanes idle.</summary>
    public static bool Suits(Norm op, Accelerator machine) => !op.Backward && op.Rows * TokensPerLanes <= machine.Sbuf.Partitions;

    /// <summary>Lowers the forward direction.</summary>
    public static Lowering Lower(Norm op, Accelerator machine)
    {
        var kernel = new NormFewRowsKernel(op, machine);
        return Lowering.Of(kernel.Write(), FormattableString.Invariant($"features over {kernel._row.Partitions} partitions, 1 buffer"));
    }

    private Program Write()
    {
        Tile x = _kernel.Sbuf("x", (long)_free * _op.Type.ByteSize())[0];
        TileBuffer parameters = _kernel.Sbuf("parameters", (long)_row.Width * _op.Type.ByteSize(), _op.ParameterVectors);
        LoadTokens(x);
        for (int vector = 0; vector < _op.ParameterVectors; vector++)
        {
            _row.Load(_kernel, StreamId.QueueSmall, parameters[vector], _op.Type);
        }

        Tile statistics = WriteStatistics(x);
        for (int vector = 0; vector < _op.ParameterVectors; vector++)
        {
            Combine(x, statistics, DataType.Fp32);
        }

        for (int vector = 0; vector < _op.ParameterVectors; vector++)
        {
            Combine(x, parameters[vector], _op.Type);
        }

        StoreTokens(x);
        return _kernel.Build();
    }

    /// <summary>Sums of squares (and for layer normalization of the elements) per partition, added over partitions, then the inverse deviation.</summary>
    private Tile WriteStatistics(Tile x)
    {
        int partitions = _row.Partitions, sums = _tokens * _op.ParameterVectors;
        Tile ones = _kernel.Sbuf("ones", partitions * (long)sizeof(float))[0];
        Tile squares = _kernel.Sbuf("squares", (long)_free * sizeof(float))[0];
        Tile partial = _kernel.Sbuf("sums of a partition", (long)sums * sizeof(float))[0];
        Tile statistics = _kernel.Sbuf("statistics", (long)sums * sizeof(float))[0];
        Tile total = _kernel.Psum("sums over partitions", 1)[0];
        _kernel.Memset(StreamId.Vector, ones, partitions, partitions, DataType.Fp32);
        _kernel.Activation(ActivationFunction.Square, squares, x, null, partitions, _free, _op.Type, DataType.Fp32);
        if (_op.Function == NormFunction.Layer)
        {
            _kernel.TensorReduce(partial, x, partitions, _free, _op.Type, DataType.Fp32);
        }

        _kernel.TensorReduce(partial, squares, partitions, _free, DataType.Fp32, DataType.Fp32);
        _kernel.MatMul(total, ones, partial, partitions, partitions, sums, DataType.Fp32, false);
        NormKernel.WriteInverse(_kernel, statistics, total, partitions, _op, _tokens);
        return statistics;
    }

    private void Combine(Tile x, Tile other, DataType type) =>
        _kernel.TensorTensor(StreamId.Vector, x, x, other, _row.Partitions, _free, type, _op.Type);

    private void LoadTokens(Tile x)
    {
        _kernel.Load(StreamId.QueueActivations, x, (int)(_row.Elements / _row.Width) * _tokens, (long)_row.Width * _op.Type.ByteSize());
        if (_row.Elements % _row.Width > 0)
        {
            _kernel.Load(StreamId.QueueActivations, x, _tokens, _row.Elements % _row.Width * _op.Type.ByteSize());
        }
    }

    private void StoreTokens(Tile x)
    {
        _kernel.Store(StreamId.QueueStores, x, (int)(_row.Elements / _row.Width) * _tokens, (long)_row.Width * _op.Type.ByteSize());
        if (_row.Elements % _row.Width > 0)
        {
            _kernel.Store(StreamId.QueueStores, x, _tokens, _row.Elements % _row.Width * _op.Type.ByteSize());
        }
    }
}
