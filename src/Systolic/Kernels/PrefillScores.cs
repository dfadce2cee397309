using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Scores of prefill attention: made in PSUM, masked and evicted to SBUF with the maximum of each tile, and the maximum over all tiles so far.</summary>
internal sealed class PrefillScores
{
    private readonly KernelBuilder _kernel;
    private readonly PrefillAttention _op;
    private readonly PrefillPlan _plan;
    private readonly PrefillBounds _bounds;
    private readonly PrefillOperands _operands;
    private readonly MemoryTensor? _sinkTensor;
    private readonly Tile _sink;
    private readonly TileBuffer _banks;
    private readonly TileBuffer? _copies;
    private readonly TileBuffer? _selected;
    private readonly TileBuffer _scores;
    private readonly TileBuffer _maxima;
    private readonly TileBuffer _sectionMaximum;
    private readonly TileBuffer _maximum;
    private readonly TileBuffer _before;
    private readonly TileBuffer _factors;
    private readonly Queue<Action> _masked = [];
    private long _round;
    private long _maskRound;

    public PrefillScores(KernelBuilder kernel, PrefillAttention op, PrefillPlan plan, PrefillBounds bounds, PrefillOperands operands)
    {
        (_kernel, _op, _plan, _bounds, _operands) = (kernel, op, plan, bounds, operands);
        _sinkTensor = op.Sink ? kernel.Input("sinks", op.Heads, 1, DataType.Fp32) : null;
        _sink = op.Sink ? kernel.Sbuf("sink", 1, DataType.Fp32)[0] : default;
        _banks = kernel.Psum("scores", PrefillPlan.BlockTiles);
        bool selects = op.Causal && !plan.BoundsEverywhere;
        _copies = selects ? kernel.Sbuf("scores to mask", PrefillPlan.TileKeys, DataType.Fp32, 2) : null;
        _selected = selects ? kernel.Sbuf("masked scores", PrefillPlan.TileKeys, DataType.Fp32, 2) : null;
        _scores = kernel.Sbuf("scores", PrefillPlan.TileKeys, DataType.Fp32, 2 * plan.SectionTiles);
        _maxima = kernel.Sbuf("maxima of tiles", plan.SectionTiles + 1, DataType.Fp32, 2);
        _sectionMaximum = kernel.Sbuf("negative maximum of a section", 1, DataType.Fp32, 2);
        _maximum = kernel.Sbuf("negative maximum", 1, DataType.Fp32, plan.Groups);
        _before = kernel.Sbuf("maximum of earlier sections", 1, DataType.Fp32, 2);
        _factors = kernel.Sbuf("factors", 1, DataType.Fp32, plan.GroupsAhead + 1);
    }

    /// <summary>Loads the sink's score of a head.</summary>
    public void LoadSink(int head)
    {
        if (_sinkTensor is { } sinks)
        {
            _kernel.Load(StreamId.QueueWeights, _sink, sinks.Broadcast(head, _kernel.Partitions, 0, 1));
        }
    }

    /// <summary>The sink's score, for each query of a turn.</summary>
    public TileView Sink(PrefillTurn turn) => _sink[..turn.Rows, ..1];

    /// <summary>The scores of a tile.</summary>
    public TileView Of(PrefillTurn turn, int tile) => _scores[(turn.Number * _plan.SectionTiles) + (tile % _plan.SectionTiles)][..turn.Rows, .._plan[tile].Count];

    /// <summary>The negative of the largest score of each query so far.</summary>
    public TileView NegativeMaximum(PrefillTurn turn) => _maximum[turn.Group][..turn.Rows, ..1];

    /// <summary>By how much what earlier sections summed shrinks.</summary>
    public TileView Factor(PrefillTurn turn) => _factors[turn.Number][..turn.Rows, ..1];

    /// <summary>Makes the scores of a tile, by its number in the turn. Those masked by the general-purpose engine are evicted later.</summary>
    public void Write(PrefillTurn turn, int index)
    {
        int tile = turn.Tiles[index];
        KeyTile keys = _plan[tile];
        TileView bank = _banks[_round++][..turn.Rows, ..keys.Count], scores = Of(turn, tile), maximum = turn.Column(_maxima, index);
        _kernel.MatMul(bank, _operands.Queries(turn), _operands.Keys(tile), accumulate: false);
        switch (_plan.MaskOf(turn.Group, keys))
        {
            case ScoreMask.Bounds:
                (ScalarOperand lower, ScalarOperand upper) = _bounds.Of(turn.Group, keys.Prior);
                _kernel.RangeSelect(scores, maximum, bank, keys.First, lower, upper);
                break;
            case ScoreMask.Position:
                TileView masked = Mask(turn, keys, bank);
                _masked.Enqueue(() => Evict(scores, maximum, masked));
                break;
            default:
                Evict(scores, maximum, bank);
                break;
        }
    }

    /// <summary>Evicts the scores that are masked by now.</summary>
    public void EvictMasked()
    {
        while (_masked.TryDequeue(out Action? evict))
        {
            evict();
        }
    }

    /// <summary>All tiles of a turn have scores: takes their maximum, and the factor by which earlier sections shrink.</summary>
    public void UpdateMaximum(PrefillTurn turn)
    {
        TileView maxima = turn.Columns(_maxima), section = _sectionMaximum[turn.Number][..turn.Rows, ..1], maximum = NegativeMaximum(turn);
        if (turn.HasSink)
        {
            _kernel.Copy(StreamId.Vector, turn.SinkColumn(_maxima), Sink(turn));
        }

        if (turn.IsEmpty)
        {
            _kernel.Memset(StreamId.GpSimd, maxima, float.MinValue);
        }

        _kernel.TensorReduce(AluOperator.Maximum, section, maxima, negate: true);
        if (turn.Section == 0)
        {
            _kernel.Copy(StreamId.Vector, maximum, section);
            return;
        }

        TileView before = _before[turn.Number][..turn.Rows, ..1];
        _kernel.Activation(ActivationFunction.Identity, before, maximum, scale: -1f);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Minimum, maximum, maximum, section);
        _kernel.Activation(ActivationFunction.Exp, Factor(turn), before, maximum);
    }

    private void Evict(in TileView scores, in TileView maximum, in TileView source) =>
        _kernel.TensorScalarReduce(scores, maximum, source, AluOperator.Multiply, 1f, AluOperator.Maximum);

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
}
