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
    private readonly PrefillOperands _operands;
    private readonly PrefillScores _scores;
    private readonly PrefillProbabilities _probabilities;
    private readonly MemoryTensor _tensor;
    private readonly MemoryTensor[] _partial;
    private readonly TileBuffer _sectionSums;
    private readonly TileBuffer _sums;
    private readonly TileBuffer _reciprocals;
    private readonly TileBuffer _weighted;
    private readonly TileBuffer _results;
    private readonly TileBuffer? _before;
    private readonly TileBuffer? _turned;
    private readonly TileBuffer? _turnBanks;
    private readonly TileBuffer _banks;
    private readonly Queue<int[]> _blocks = [];
    private PrefillTurn? _turn;
    private bool _first;
    private long _turns;
    private long _round;

    public PrefillOutput(KernelBuilder kernel, PrefillAttention op, PrefillPlan plan, PrefillOperands operands, PrefillScores scores, PrefillProbabilities probabilities)
    {
        (_kernel, _op, _plan, _operands, _scores, _probabilities) = (kernel, op, plan, operands, scores, probabilities);
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
        _turnBanks = byToken ? null : kernel.Psum("turned factors", 1);
        _banks = kernel.Psum("weighted values of a block", 2);
    }

    /// <summary>Sums a group's probabilities of a section and, with the last section, takes the reciprocal of the sum.</summary>
    public void Sum(PrefillTurn turn)
    {
        TileView section = One(_sectionSums[turn.Number], turn), all = One(_sums[turn.Group], turn);
        _kernel.TensorReduce(AluOperator.Add, section, _probabilities.Sums(turn));
        if (turn.Section > 0)
        {
            _kernel.TensorScalar(StreamId.Vector, all, all, AluOperator.Multiply, _scores.Factor(turn), AluOperator.Add, section);
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

    /// <summary>The values of a turn are weighed from now on; loads what earlier sections left in main memory.</summary>
    public void Begin(PrefillTurn turn)
    {
        (_turn, _first) = (turn, true);
        foreach (IGrouping<int, int> block in turn.Tiles.GroupBy(tile => tile % _plan.SectionTiles / PrefillPlan.BlockTiles))
        {
            _blocks.Enqueue([.. block]);
        }

        if (turn.Tiles.IsEmpty)
        {
            _kernel.Memset(StreamId.GpSimd, Shaped(_weighted[turn.Number], turn), 0);
        }

        if (turn.Section > 0)
        {
            _kernel.Load(StreamId.QueueWeights, Shaped(_before![turn.Number], turn), Partial(turn));
        }
    }

    /// <summary>Weighs the values of the next block of tiles, if there is one, and adds them to those before.</summary>
    public void WeighBlock()
    {
        if (!_blocks.TryDequeue(out int[]? tiles))
        {
            return;
        }

        PrefillTurn turn = _turn!;
        Tile bank = _banks[_round++];
        TileView result = _op.OutputByToken ? bank[..turn.Rows, .._op.HeadDim] : bank[.._op.HeadDim, ..turn.Rows];
        bool accumulate = false;
        foreach ((int tile, int chunk, int count) in tiles.SelectMany(tile => Chunks(turn, tile)))
        {
            TileView values = _operands.Values(tile, chunk, count), probabilities = _probabilities.Transposed(turn, tile, chunk, count);
            _kernel.MatMul(result, _op.OutputByToken ? probabilities : values, _op.OutputByToken ? values : probabilities, accumulate);
            accumulate = true;
        }

        Add(Shaped(_weighted[turn.Number], turn), result);
        _first = false;
    }

    /// <summary>Weighs the blocks that are left.</summary>
    public void WeighRest(PrefillTurn turn)
    {
        while (_blocks.Count > 0)
        {
            WeighBlock();
        }
    }

    /// <summary>All blocks are added: adds earlier sections and stores.</summary>
    public void Store(PrefillTurn turn)
    {
        TileView factor = _scores.Factor(turn);
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

    private void Add(in TileView weighted, in TileView block)
    {
        if (_first)
        {
            _kernel.Copy(StreamId.Vector, weighted, block);
        }
        else
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, weighted, weighted, block);
        }
    }

    /// <summary>The chunks of a tile that the group sees.</summary>
    private IEnumerable<(int Tile, int Chunk, int Count)> Chunks(PrefillTurn turn, int tile)
    {
        KeyTile keys = _plan[tile];
        for (int start = 0; start < keys.Count; start += PrefillPlan.ChunkKeys)
        {
            if (_plan.Sees(turn.Group, keys, start, PrefillPlan.ChunkKeys))
            {
                yield return (tile, start / PrefillPlan.ChunkKeys, Math.Min(PrefillPlan.ChunkKeys, keys.Count - start));
            }
        }
    }

    /// <summary>A factor of each query, on partitions, beside each other in the partition of every feature.</summary>
    private TileView Turned(PrefillTurn turn, in TileView factor)
    {
        TileView bank = _turnBanks![0][.._op.HeadDim, ..turn.Rows], turned = _turned![_turns++][.._op.HeadDim, ..turn.Rows];
        _kernel.Transpose(bank, factor.Spread(_op.HeadDim));
        _kernel.Copy(StreamId.Vector, turned, bank);
        return turned;
    }

    private MemoryView Partial(PrefillTurn turn) => _op.OutputByToken ? _partial[turn.Group].Part(0, turn.Rows) : _partial[turn.Group].Part(0, _op.HeadDim, 0, turn.Rows);

    private TileView Shaped(Tile tile, PrefillTurn turn) => _op.OutputByToken ? tile[..turn.Rows, .._op.HeadDim] : tile[.._op.HeadDim, ..turn.Rows];

    private static TileView One(Tile tile, PrefillTurn turn) => tile[..turn.Rows, ..1];
}
