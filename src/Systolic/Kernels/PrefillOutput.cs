using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Sums of probabilities and weighted values of prefill attention: rescaled from section to section, divided by the sum, stored.</summary>
/// <remarks>Between sections the weighted values of each group lie in main memory. Where results lie by feature, factors of a query are turned by the array to lie beside each other in every feature's partition.</remarks>
internal sealed class PrefillOutput
{
    private readonly KernelBuilder _kernel;
    private readonly PrefillAttention _op;
    private readonly PrefillPlan _plan;
    private readonly MemoryTensor _tensor;
    private readonly MemoryTensor[] _partial;
    private readonly TileBuffer _sectionSums;
    private readonly TileBuffer _sums;
    private readonly TileBuffer _reciprocals;
    private readonly TileBuffer _weighted;
    private readonly TileBuffer _results;
    private readonly TileBuffer? _before;
    private readonly TileBuffer? _turned;
    private readonly TileBuffer? _banks;
    private long _turns;

    public PrefillOutput(KernelBuilder kernel, PrefillAttention op, PrefillPlan plan)
    {
        (_kernel, _op, _plan) = (kernel, op, plan);
        bool byToken = op.OutputByToken;
        (int partitions, int columns) = byToken ? (PrefillPlan.GroupQueries, op.HeadDim) : (op.HeadDim, PrefillPlan.GroupQueries);
        _tensor = kernel.Output("output", byToken ? (long)op.Heads * op.Queries : (long)op.Heads * op.HeadDim, byToken ? op.HeadDim : op.Queries, op.Type);
        _partial = plan.Sections == 1 ? [] : [.. Enumerable.Range(0, plan.Groups).Select(group => kernel.Scratch(FormattableString.Invariant($"weighted values of group {group}"), partitions, columns, DataType.Fp32))];
        _sectionSums = kernel.Sbuf("sum of a section", 1, DataType.Fp32, 2);
        _sums = kernel.Sbuf("sum", 1, DataType.Fp32, plan.Groups);
        _reciprocals = kernel.Sbuf("reciprocal of the sum", 1, DataType.Fp32, plan.Groups);
        _weighted = kernel.Sbuf("weighted values", columns, DataType.Fp32, 2);
        _results = kernel.Sbuf("result", columns, op.Type, 2);
        _before = plan.Sections == 1 ? null : kernel.Sbuf("weighted values of earlier sections", columns, DataType.Fp32, 2);
        _turned = byToken ? null : kernel.Sbuf("factors beside each other", PrefillPlan.GroupQueries, DataType.Fp32, 4);
        _banks = byToken ? null : kernel.Psum("turned factors", 1);
    }

    /// <summary>Sums a group's probabilities of a section and, with the last section, takes the reciprocal of the sum.</summary>
    public void Sum(PrefillTurn turn, in TileView sums, in TileView factor)
    {
        TileView section = One(_sectionSums[turn.Number], turn), all = One(_sums[turn.Group], turn);
        _kernel.TensorReduce(AluOperator.Add, section, sums);
        if (turn.Section > 0)
        {
            _kernel.TensorScalar(StreamId.Vector, all, all, AluOperator.Multiply, factor, AluOperator.Add, section);
        }
        else if (!turn.Last)
        {
            _kernel.Copy(StreamId.Vector, all, section);
        }

        if (turn.Last)
        {
            _kernel.Reciprocal(One(_reciprocals[turn.Group], turn), turn.Section > 0 ? all : section);
        }
    }

    /// <summary>Loads what earlier sections left in main memory.</summary>
    public void Begin(PrefillTurn turn)
    {
        if (turn.Tiles.IsEmpty)
        {
            _kernel.Memset(StreamId.GpSimd, Shaped(_weighted[turn.Number], turn), 0);
        }

        if (turn.Section > 0)
        {
            _kernel.Load(StreamId.QueueWeights, Shaped(_before![turn.Number], turn), Partial(turn));
        }
    }

    /// <summary>Adds a block's weighted values to those of the blocks before.</summary>
    public void Add(PrefillTurn turn, in TileView bank, bool first)
    {
        TileView weighted = Shaped(_weighted[turn.Number], turn);
        if (first)
        {
            _kernel.Copy(StreamId.Vector, weighted, bank);
        }
        else
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, weighted, weighted, bank);
        }
    }

    /// <summary>All blocks are added: adds earlier sections and stores.</summary>
    public void Store(PrefillTurn turn, in TileView factor)
    {
        TileView weighted = Shaped(_weighted[turn.Number], turn);
        if (turn.Section > 0)
        {
            TileView before = Shaped(_before![turn.Number], turn);
            if (_op.OutputByToken)
            {
                _kernel.ScalarTensorTensor(weighted, before, AluOperator.Multiply, factor, AluOperator.Add, weighted);
            }
            else
            {
                _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, before, before, Turned(turn, factor));
                _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, weighted, weighted, before);
            }
        }

        if (!turn.Last)
        {
            _kernel.Store(StreamId.QueueStores, Partial(turn), weighted);
            return;
        }

        TileView result = Shaped(_results[turn.Number], turn), reciprocal = One(_reciprocals[turn.Group], turn);
        if (_op.OutputByToken)
        {
            _kernel.Activation(ActivationFunction.Identity, result, weighted, scale: reciprocal);
        }
        else
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, result, weighted, Turned(turn, reciprocal));
        }

        int first = turn.Group * PrefillPlan.GroupQueries;
        _kernel.Store(StreamId.QueueStores, _op.OutputByToken ? _tensor.Part(((long)turn.Part.Head * _op.Queries) + first, turn.Rows) : _tensor.Part((long)turn.Part.Head * _op.HeadDim, _op.HeadDim, first, turn.Rows), result);
    }

    /// <summary>A factor of each query, on partitions, beside each other in the partition of every feature.</summary>
    private TileView Turned(PrefillTurn turn, in TileView factor)
    {
        TileView bank = _banks![0][.._op.HeadDim, ..turn.Rows], turned = _turned![_turns++][.._op.HeadDim, ..turn.Rows];
        _kernel.Transpose(bank, factor.Spread(_op.HeadDim));
        _kernel.Copy(StreamId.Vector, turned, bank);
        return turned;
    }

    private MemoryView Partial(PrefillTurn turn) => _op.OutputByToken ? _partial[turn.Group].Part(0, turn.Rows) : _partial[turn.Group].Part(0, _op.HeadDim, 0, turn.Rows);

    private TileView Shaped(Tile tile, PrefillTurn turn) => _op.OutputByToken ? tile[..turn.Rows, .._op.HeadDim] : tile[.._op.HeadDim, ..turn.Rows];

    private static TileView One(Tile tile, PrefillTurn turn) => tile[..turn.Rows, ..1];
}
