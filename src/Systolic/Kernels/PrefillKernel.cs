using System.Collections.Immutable;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>A query group against a section of keys.</summary>
/// <param name="Number">Number over the whole program.</param>
/// <param name="Part">The part of a head to which the group belongs.</param>
/// <param name="Section">Section of keys.</param>
/// <param name="Group">Group of 128 queries.</param>
/// <param name="Rows">Its queries.</param>
/// <param name="Tiles">The tiles of the section that the group sees, in order.</param>
/// <param name="Last">The group works on no later section.</param>
internal sealed record PrefillTurn(long Number, PrefillPart Part, int Section, int Group, int Rows, ImmutableArray<int> Tiles, bool Last);

/// <summary>Prefill attention (tiling: <see cref="PrefillPlan"/>): all scores of a group and section lie in SBUF, so that their maximum is known before the first exponential.</summary>
/// <remarks>
/// Three groups are at work: while the array weighs the values of one and makes the scores of the next but one, ScalarE takes exponentials of the group between, which the DMA engines transpose. Evictions that wait for a
/// mask of the general-purpose engine come last, as a compiler would schedule them.
/// </remarks>
internal sealed class PrefillKernel
{
    private readonly PrefillAttention _op;
    private readonly PrefillPlan _plan;
    private readonly KernelBuilder _kernel;
    private readonly PrefillBounds _bounds;
    private readonly PrefillOperands _operands;
    private readonly PrefillOutput _output;
    private readonly MemoryTensor? _sinkTensor;
    private readonly Tile _sink;
    private readonly TileBuffer _banks;
    private readonly TileBuffer _outputBanks;
    private readonly TileBuffer? _copies;
    private readonly TileBuffer? _selected;
    private readonly TileBuffer _scores;
    private readonly TileBuffer _maxima;
    private readonly TileBuffer _sectionMaximum;
    private readonly TileBuffer _maximum;
    private readonly TileBuffer _before;
    private readonly TileBuffer _factors;
    private readonly TileBuffer _probabilities;
    private readonly TileBuffer _transposed;
    private readonly TileBuffer _sums;
    private readonly Queue<Action> _masked = [];
    private readonly int _ahead;
    private long _scoreRound;
    private long _maskRound;
    private long _outputRound;

    private PrefillKernel(PrefillAttention op, ImmutableArray<PrefillPart> parts, Accelerator machine, bool values)
    {
        (_op, _plan) = (op, new PrefillPlan(op, machine));
        _kernel = new KernelBuilder(machine, op.Name, values);
        if (machine.Dma.DescriptorBlocks > 0)
        {
            _kernel.Descriptors = DescriptorSource.HardwareOneBlock;
        }

        _bounds = new PrefillBounds(_kernel, op, _plan);
        _operands = new PrefillOperands(_kernel, op, _plan, _bounds, parts.Any(part => !part.Whole));
        _output = new PrefillOutput(_kernel, op, _plan);
        _sinkTensor = op.Sink ? _kernel.Input("sinks", op.Heads, 1, DataType.Fp32) : null;
        _sink = op.Sink ? _kernel.Sbuf("sink", 1, DataType.Fp32)[0] : default;
        int tiles = _plan.SectionTiles, more = op.Sink ? 1 : 0;
        _banks = _kernel.Psum("scores", PrefillPlan.BlockTiles);
        _outputBanks = _kernel.Psum("weighted values of a block", 2);
        bool selects = op.Causal && !_plan.BoundsEverywhere;
        _copies = selects ? _kernel.Sbuf("scores to mask", PrefillPlan.TileKeys, DataType.Fp32, 2) : null;
        _selected = selects ? _kernel.Sbuf("masked scores", PrefillPlan.TileKeys, DataType.Fp32, 2) : null;
        _scores = _kernel.Sbuf("scores", PrefillPlan.TileKeys, DataType.Fp32, 2 * tiles);
        _maxima = _kernel.Sbuf("maxima of tiles", tiles + more, DataType.Fp32, 2);
        _sectionMaximum = _kernel.Sbuf("negative maximum of a section", 1, DataType.Fp32, 2);
        _maximum = _kernel.Sbuf("negative maximum", 1, DataType.Fp32, _plan.Groups);
        _before = _kernel.Sbuf("maximum of earlier sections", 1, DataType.Fp32, 2);
        _ahead = _plan.ManyGroups ? 4 : 2;
        _factors = _kernel.Sbuf("factors", 1, DataType.Fp32, _ahead + 1);
        int several = _plan.ManyGroups ? 4 * Math.Min(tiles, 2 * PrefillPlan.BlockTiles) : 0;
        _probabilities = _kernel.Sbuf("probabilities", PrefillPlan.TileKeys, DataType.Bf16, several > 0 ? several : tiles);
        _transposed = _kernel.Sbuf("transposed probabilities", PrefillPlan.TileKeys, DataType.Bf16, several > 0 ? several : 2 * tiles);
        _sums = _kernel.Sbuf("sums of tiles", tiles + more, DataType.Fp32, 2);
    }

    /// <summary>The program of a core that computes some parts of heads.</summary>
    public static Program Write(PrefillAttention op, ImmutableArray<PrefillPart> parts, Accelerator machine, bool values = false) =>
        new PrefillKernel(op, parts, machine, values).Write(parts);

    private Program Write(ImmutableArray<PrefillPart> parts)
    {
        long number = 0;
        foreach (PrefillPart part in parts)
        {
            _bounds.Write();
            if (_sinkTensor is { } sinks)
            {
                _kernel.Load(StreamId.QueueWeights, _sink, sinks.Broadcast(part.Head, _kernel.Partitions, 0, 1));
            }

            for (int section = 0; section < _plan.Sections; section++)
            {
                PrefillTurn[] turns = [.. Turns(part, section, number)];
                number += turns.Length;
                _operands.LoadKeys(part.Head / _op.Sharing, section);
                if (turns.Length > 0)
                {
                    _operands.LoadQueries(part, turns[0].Group, true);
                }

                _operands.LoadValues(part.Head / _op.Sharing, section);
                Overlap(turns);
            }
        }

        return _kernel.Build();
    }

    private IEnumerable<PrefillTurn> Turns(PrefillPart part, int section, long number)
    {
        for (int group = part.FirstGroup; group < part.FirstGroup + part.Groups; group++)
        {
            if (_plan.WorksOn(group, section))
            {
                yield return new PrefillTurn(number++, part, section, group, _plan.QueriesIn(group), _plan.Seen(group, section), !_plan.WorksOn(group, section + 1));
            }
        }
    }

    /// <summary>Scores of a group, exponentials of the one before, products with values of the one before that.</summary>
    private void Overlap(PrefillTurn[] turns)
    {
        for (int i = -_ahead; i < turns.Length; i++)
        {
            PrefillTurn? oldest = At(i), summed = At(i + _ahead - 2), newest = At(i + _ahead);
            var blocks = new Queue<ImmutableArray<int>>(oldest is null ? [] : Blocks(oldest));
            bool first = true;
            if (oldest is not null)
            {
                _output.Begin(oldest);
            }

            if (newest is not null)
            {
                if (newest != turns[0])
                {
                    _operands.LoadQueries(newest.Part, newest.Group, false);
                }

                Scores(newest, () => { Weigh(); });
            }

            if (summed is not null)
            {
                _output.Sum(summed, Columns(_sums, summed), FactorOf(summed));
            }

            while (_masked.TryDequeue(out Action? evict))
            {
                evict();
            }

            if (newest is not null)
            {
                UpdateMaximum(newest);
            }

            while (blocks.Count > 0)
            {
                Weigh();
            }

            if (newest is not null)
            {
                Exponentials(newest);
            }

            if (oldest is not null)
            {
                _output.Store(oldest, FactorOf(oldest));
            }

            void Weigh()
            {
                if (blocks.TryDequeue(out ImmutableArray<int> block))
                {
                    WeighValues(oldest!, block, first);
                    first = false;
                }
            }
        }

        PrefillTurn? At(int index) => index >= 0 && index < turns.Length ? turns[index] : null;
    }

    /// <summary>Makes the scores of a turn, and something else between each block of tiles and the next.</summary>
    private void Scores(PrefillTurn turn, Action between)
    {
        foreach ((int number, int index) in _plan.ScoreOrder(turn).Index())
        {
            if (number > 0 && number % PrefillPlan.BlockTiles == 0)
            {
                between();
            }

            Scores(turn, index);
        }
    }

    private IEnumerable<ImmutableArray<int>> Blocks(PrefillTurn turn) =>
        turn.Tiles.GroupBy(tile => tile % _plan.SectionTiles / PrefillPlan.BlockTiles).Select(block => block.ToImmutableArray());

    private void Scores(PrefillTurn turn, int index)
    {
        int tile = turn.Tiles[index];
        KeyTile keys = _plan[tile];
        TileView bank = _banks[_scoreRound++][..turn.Rows, ..keys.Count], scores = ScoresOf(turn, tile);
        TileView maximum = _maxima[turn.Number][..turn.Rows, index..(index + 1)];
        _kernel.MatMul(bank, _operands.Queries(turn.Part, turn.Group), _operands.Keys(tile), accumulate: false);
        switch (_plan.MaskOf(turn.Group, keys))
        {
            case ScoreMask.Bounds:
                (ScalarOperand lower, ScalarOperand upper) = _bounds.Of(turn.Group, keys.Prior);
                _kernel.RangeSelect(scores, maximum, bank, keys.First, lower, upper);
                break;
            case ScoreMask.Position:
                TileView masked = Mask(turn, keys, bank);
                _masked.Enqueue(() => _kernel.TensorScalarReduce(scores, maximum, masked, AluOperator.Multiply, 1f, AluOperator.Maximum));
                break;
            default:
                _kernel.TensorScalarReduce(scores, maximum, bank, AluOperator.Multiply, 1f, AluOperator.Maximum);
                break;
        }
    }

    /// <summary>The general-purpose engine compares positions, once for each side; it cannot read PSUM.</summary>
    private TileView Mask(PrefillTurn turn, KeyTile keys, in TileView bank)
    {
        if (_masked.Count == _copies!.Copies)
        {
            _masked.Dequeue()();
        }

        TileView copy = _copies[_maskRound][..turn.Rows, ..keys.Count], masked = _selected![_maskRound++][..turn.Rows, ..keys.Count];
        int ahead = (turn.Group * PrefillPlan.GroupQueries) - keys.First;
        _kernel.Copy(StreamId.Vector, copy, bank);
        _kernel.AffineSelect(masked, copy, new AffineCondition(ahead, 1, -1), float.MinValue);
        if (_op.Window > 0)
        {
            _kernel.AffineSelect(masked, masked, new AffineCondition(_op.Window - 1 - ahead, -1, 1), float.MinValue);
        }

        return masked;
    }

    private void UpdateMaximum(PrefillTurn turn)
    {
        int rows = turn.Rows;
        TileView maxima = Columns(_maxima, turn);
        if (HasSink(turn))
        {
            _kernel.Copy(StreamId.Vector, Last(maxima), _sink[..rows, ..1]);
        }
        else if (turn.Tiles.IsEmpty)
        {
            _kernel.Memset(StreamId.GpSimd, maxima, float.MinValue);
        }

        TileView section = _sectionMaximum[turn.Number][..rows, ..1], maximum = _maximum[turn.Group][..rows, ..1];
        _kernel.TensorReduce(AluOperator.Maximum, section, maxima, negate: true);
        if (turn.Section == 0)
        {
            _kernel.Copy(StreamId.Vector, maximum, section);
            return;
        }

        TileView before = _before[turn.Number][..rows, ..1];
        _kernel.Activation(ActivationFunction.Identity, before, maximum, scale: -1f);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Minimum, maximum, maximum, section);
        _kernel.Activation(ActivationFunction.Exp, FactorOf(turn), before, maximum);
    }

    private void Exponentials(PrefillTurn turn)
    {
        TileView maximum = _maximum[turn.Group][..turn.Rows, ..1];
        for (int i = 0; i < turn.Tiles.Length; i++)
        {
            int tile = turn.Tiles[i];
            TileView probabilities = _probabilities[Place(turn, tile, _probabilities)][..turn.Rows, .._plan[tile].Count];
            _kernel.ActivationReduce(ActivationFunction.Exp, probabilities, _sums[turn.Number][..turn.Rows, i..(i + 1)], ScoresOf(turn, tile), maximum);
            Transpose(_transposed[Place(turn, tile, _transposed)], probabilities);
        }

        if (HasSink(turn))
        {
            _kernel.Activation(ActivationFunction.Exp, Last(Columns(_sums, turn)), _sink[..turn.Rows, ..1], maximum);
        }
        else if (turn.Tiles.IsEmpty)
        {
            _kernel.Memset(StreamId.GpSimd, Columns(_sums, turn), 0);
        }
    }

    /// <summary>Chunks of 128 keys side by side; a shorter last one is a transfer of its own.</summary>
    private void Transpose(Tile target, in TileView probabilities)
    {
        int rows = probabilities.Partitions, chunks = probabilities.Elements / PrefillPlan.GroupQueries, rest = probabilities.Elements % PrefillPlan.GroupQueries;
        if (chunks > 0)
        {
            _kernel.LocalTranspose(target[.., ..(chunks * rows)], probabilities with { Free = FreePattern.Row(chunks * PrefillPlan.GroupQueries) });
        }

        if (rest > 0)
        {
            _kernel.LocalTranspose(target[..rest, (chunks * rows)..((chunks + 1) * rows)], probabilities.Skip(chunks * PrefillPlan.GroupQueries) with { Free = FreePattern.Row(rest) });
        }
    }

    /// <summary>Weighs the values of a block of tiles and adds them to those of the blocks before.</summary>
    private void WeighValues(PrefillTurn turn, ImmutableArray<int> block, bool first)
    {
        TileView bank = NextBank(turn);
        bool accumulate = false;
        foreach (int tile in block)
        {
            KeyTile keys = _plan[tile];
            for (int start = 0; start < keys.Count; start += PrefillPlan.GroupQueries)
            {
                if (_plan.Sees(turn.Group, keys, start, PrefillPlan.GroupQueries))
                {
                    WeighChunk(turn, tile, start / PrefillPlan.GroupQueries, Math.Min(PrefillPlan.GroupQueries, keys.Count - start), bank, accumulate);
                    accumulate = true;
                }
            }
        }

        _output.Add(turn, bank, first);
    }

    private TileView NextBank(PrefillTurn turn)
    {
        Tile bank = _outputBanks[_outputRound++];
        return _op.OutputByToken ? bank[..turn.Rows, .._op.HeadDim] : bank[.._op.HeadDim, ..turn.Rows];
    }

    private void WeighChunk(PrefillTurn turn, int tile, int chunk, int count, in TileView bank, bool accumulate)
    {
        TileView values = _operands.Values(tile, chunk, count), probabilities = _transposed[Place(turn, tile, _transposed)][..count, (chunk * turn.Rows)..((chunk + 1) * turn.Rows)];
        _kernel.MatMul(bank, _op.OutputByToken ? probabilities : values, _op.OutputByToken ? values : probabilities, accumulate);
    }

    private TileView ScoresOf(PrefillTurn turn, int tile) => _scores[Place(turn, tile, _scores)][..turn.Rows, .._plan[tile].Count];

    /// <summary>The sink is a score of the first section.</summary>
    private bool HasSink(PrefillTurn turn) => _op.Sink && turn.Section == 0;

    /// <summary>A column for each tile of a turn and one for the sink; one where there is neither.</summary>
    private TileView Columns(TileBuffer buffer, PrefillTurn turn) => buffer[turn.Number][..turn.Rows, ..Math.Max(1, turn.Tiles.Length + (HasSink(turn) ? 1 : 0))];

    private static TileView Last(TileView columns) => columns.Skip(columns.Elements - 1) with { Free = FreePattern.Row(1) };

    private TileView FactorOf(PrefillTurn turn) => _factors[turn.Number][..turn.Rows, ..1];

    /// <summary>Groups take the places of a buffer in turn, as many as it has for a section; a place for each tile, or, with many groups, for every eighth.</summary>
    private long Place(PrefillTurn turn, int tile, TileBuffer buffer)
    {
        int tiles = _plan.ManyGroups && buffer != _scores ? Math.Min(_plan.SectionTiles, 2 * PrefillPlan.BlockTiles) : _plan.SectionTiles;
        return (turn.Number * tiles) + (tile % _plan.SectionTiles % tiles);
    }
}
