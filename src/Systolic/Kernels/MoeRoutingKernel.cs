using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Experts of each token: softmax over the scores, then the largest eight at a time with their positions.</summary>
/// <remarks>
/// max8, find_index8 and, between rounds, match_replace8 each scan the row once; all three are written as Max8. Backward: the softmax again,
/// the weights' gradients placed at their experts by an index comparison per chosen expert on GpSimdE, then the softmax's derivative.
/// </remarks>
internal sealed class MoeRoutingKernel
{
    private const int ValuesPerScan = 8;

    private readonly MoeRouting _op;
    private readonly KernelBuilder _kernel;
    private readonly RowTiling _rows;
    private readonly int _experts;
    private readonly TileBuffer _scores;
    private readonly TileBuffer _statistics;
    private readonly TileBuffer _weights;
    private readonly TileBuffer _indices;
    private readonly TileBuffer? _gradient;

    private MoeRoutingKernel(MoeRouting op, Accelerator machine, long rows)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name);
        _rows = new RowTiling(rows, _kernel.Partitions);
        _experts = checked((int)op.Columns);
        long scores = (op.Columns * op.Type.ByteSize()) + sizeof(float);
        long chosen = Rounds(op) * ValuesPerScan;
        int copies = Placement.RequireCopies(_kernel, op.Name, "a row of scores", (scores * (op.Backward ? 2 : 1)) + (2 * sizeof(float)) + (chosen * (op.Type.ByteSize() + sizeof(int))), 0,
            "The scores of all experts of a token must lie in SBUF.");
        _scores = _kernel.Sbuf("scores", scores, copies);
        _statistics = _kernel.Sbuf("statistics", 2 * sizeof(float), copies);
        _weights = _kernel.Sbuf("weights", chosen * op.Type.ByteSize(), copies);
        _indices = _kernel.Sbuf("indices", chosen * sizeof(int), copies);
        _gradient = op.Backward ? _kernel.Sbuf("gradient", scores, copies) : null;
    }

    /// <summary>Lowers the choice.</summary>
    /// <exception cref="CapacityException">A row of scores does not fit SBUF.</exception>
    public static Lowering Lower(MoeRouting op, Accelerator machine) =>
        Placement.Cut(op.Rows, machine.Sbuf.Partitions, 16 + (op.Backward ? op.TopK : 3 * Rounds(op)), rows => new MoeRoutingKernel(op, machine, rows).Write());

    private static long Rounds(MoeRouting op) => (op.TopK + ValuesPerScan - 1) / ValuesPerScan;

    private (Program, string) Write()
    {
        TilePipeline.Write(_rows.Tiles, _scores.Copies, LoadMaximum, Exponential, _op.Backward ? Differentiate : Choose);
        return (_kernel.Build(), Placement.Mapping(_kernel.Partitions, _scores.Copies));
    }

    private void LoadMaximum(long tile)
    {
        _kernel.Load(StreamId.QueueActivations, _scores[tile], _rows[tile], _op.Columns * _op.Type.ByteSize());
        _kernel.TensorReduce(_statistics[tile], _scores[tile], _rows[tile], _experts, _op.Type, DataType.Fp32);
        if (_op.Backward)
        {
            _kernel.Load(StreamId.QueueSmall, _weights[tile], _rows[tile], _op.TopK * _op.Type.ByteSize());
            _kernel.Load(StreamId.QueueSmall, _indices[tile], _rows[tile], _op.TopK * sizeof(int));
            PlaceGradients(tile);
        }
    }

    private void PlaceGradients(long tile)
    {
        _kernel.Memset(StreamId.GpSimd, _gradient![tile], _rows[tile], _experts, _op.Type);
        for (long chosen = 0; chosen < _op.TopK; chosen++)
        {
            _kernel.TensorScalar(StreamId.GpSimd, _gradient[tile], _gradient[tile], _indices[tile], _rows[tile], _experts, _op.Type, _op.Type);
        }
    }

    private void Exponential(long tile) =>
        _kernel.ActivationReduce(ActivationFunction.Exp, _scores[tile], _scores[tile], _statistics[tile], _rows[tile], _experts, _op.Type, _op.Type);

    private void Choose(long tile)
    {
        int rows = _rows[tile];
        _kernel.Reciprocal(_statistics[tile], _scores[tile], rows, 1, DataType.Fp32);
        for (long round = 0; round < Rounds(_op); round++)
        {
            if (round > 0)
            {
                _kernel.Max8(_scores[tile], _scores[tile], rows, _experts, _op.Type);
            }

            _kernel.Max8(_weights[tile], _scores[tile], rows, _experts, _op.Type);
            _kernel.Max8(_indices[tile], _scores[tile], rows, _experts, _op.Type);
        }

        _kernel.TensorScalar(StreamId.Vector, _weights[tile], _weights[tile], _statistics[tile], rows, (int)_op.TopK, _op.Type, _op.Type);
        _kernel.Store(StreamId.QueueStores, _weights[tile], rows, _op.TopK * _op.Type.ByteSize());
        _kernel.Store(StreamId.QueueStores, _indices[tile], rows, _op.TopK * sizeof(int));
    }

    /// <summary>g p - p sum(g p), with p the softmax.</summary>
    private void Differentiate(long tile)
    {
        int rows = _rows[tile];
        (Tile scores, Tile gradient, Tile statistics) = (_scores[tile], _gradient![tile], _statistics[tile]);
        _kernel.Reciprocal(statistics, scores, rows, 1, DataType.Fp32);
        _kernel.TensorScalar(StreamId.Vector, scores, scores, statistics, rows, _experts, _op.Type, _op.Type);
        _kernel.TensorTensor(StreamId.Vector, gradient, gradient, scores, rows, _experts, _op.Type, _op.Type);
        _kernel.TensorReduce(statistics, gradient, rows, _experts, _op.Type, DataType.Fp32);
        _kernel.TensorScalar(StreamId.Vector, scores, scores, statistics, rows, _experts, _op.Type, _op.Type);
        _kernel.TensorTensor(StreamId.Vector, gradient, gradient, scores, rows, _experts, _op.Type, _op.Type);
        _kernel.Store(StreamId.QueueStores, gradient, rows, _op.Columns * _op.Type.ByteSize());
    }
}
