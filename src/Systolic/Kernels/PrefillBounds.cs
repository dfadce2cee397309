using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Which keys each query sees, as bounds in SBUF: a column for each group. Where the first query stands and how many prior keys are used is read from main memory for every head.</summary>
internal sealed class PrefillBounds
{
    private readonly KernelBuilder _kernel;
    private readonly PrefillAttention _op;
    private readonly PrefillPlan _plan;
    private readonly MemoryTensor? _firstQueryTensor;
    private readonly MemoryTensor? _usedTensor;
    private readonly Tile _firstQuery;
    private readonly Tile _used;
    private readonly Tile _upper;
    private readonly Tile _lower;
    private readonly Tile _priorLower;
    private readonly Tile _firstKey;

    public PrefillBounds(KernelBuilder kernel, PrefillAttention op, PrefillPlan plan)
    {
        (_kernel, _op, _plan) = (kernel, op, plan);
        _firstQueryTensor = op.QueriesAnywhere ? kernel.Input("first query", 1, 1, DataType.Fp32) : null;
        _usedTensor = op.PriorKeys > 0 ? kernel.Input("prior keys used", 1, 1, DataType.Fp32) : null;
        bool windowed = op.Window > 0;
        _firstQuery = Column("first query", op.QueriesAnywhere, 1);
        _used = Column("prior keys used", op.PriorKeys > 0, 1);
        _upper = Column("upper bounds", plan.BoundsEverywhere, plan.Groups);
        _lower = Column("lower bounds", plan.BoundsEverywhere && windowed, plan.Groups);
        _priorLower = Column("lower bounds of prior keys", op.PriorKeys > 0 && windowed, plan.Groups);
        _firstKey = Column("first key", plan.KeysFromAnywhere, 2);
    }

    /// <summary>In each partition p the first key to load, and p more.</summary>
    public TileView FirstKey => _firstKey[.., ..1];

    /// <summary>In each partition p the place of the first key to load of feature p.</summary>
    public TileView FirstKeyByFeature => _firstKey[.., 1..2];

    /// <summary>The first key that each query of a group sees of a tile, and the first that it does not see any more.</summary>
    public (ScalarOperand Lower, ScalarOperand Upper) Of(int group, bool prior)
    {
        int rows = _plan.QueriesIn(group);
        ScalarOperand lower = _op.Window > 0 ? (prior ? _priorLower : _lower)[..rows, group..(group + 1)] : (ScalarOperand)0f;
        return (lower, prior ? _used[..rows, ..1] : _upper[..rows, group..(group + 1)]);
    }

    /// <summary>Computes the bounds.</summary>
    public void Write()
    {
        if (_firstQueryTensor is { } query)
        {
            _kernel.Load(StreamId.QueueWeights, _firstQuery, query.Broadcast(0, _kernel.Partitions, 0, 1));
        }

        if (_usedTensor is { } used)
        {
            _kernel.Load(StreamId.QueueWeights, _used, used.Broadcast(0, _kernel.Partitions, 0, 1));
        }

        if (_plan.BoundsEverywhere)
        {
            Positions(_upper, 1);
            if (_op.Window > 0)
            {
                Add(_lower, _upper, (float)-_op.Window);
            }
        }

        if (_op is { PriorKeys: > 0, Window: > 0 })
        {
            // The lower bound counts from the first key that is not prior; prior ones lie before it.
            Positions(_priorLower, 1 - _op.Window);
            Add(_priorLower, _priorLower, _used[.., ..1]);
        }

        if (_plan.KeysFromAnywhere)
        {
            FindFirstKey();
        }
    }

    /// <summary>The position of each query, and <paramref name="more"/>.</summary>
    private void Positions(Tile target, int more)
    {
        _kernel.Iota(target, new AffineCondition(more, 1, PrefillPlan.GroupQueries));
        if (_op.QueriesAnywhere)
        {
            Add(target, target, _firstQuery[.., ..1]);
        }
    }

    /// <summary>Keys are loaded from the first on that the first query sees; bounds count from there.</summary>
    private void FindFirstKey()
    {
        Tile scratch = _firstQuery;
        TileView first = scratch[.., ..1];
        _kernel.TensorScalar(StreamId.Vector, first, first, AluOperator.Add, (float)(_op.Queries - _plan.LoadedKeys), AluOperator.Maximum, 0f);
        Subtract(_lower, first);
        Subtract(_upper, first);
        _kernel.Iota(_firstKey, new AffineCondition(0, 1, 0));
        _kernel.TensorScalar(StreamId.Vector, FirstKeyByFeature, FirstKeyByFeature, AluOperator.Multiply, _op.Keys, AluOperator.Add, first);
        Add(FirstKey, FirstKey, first);
    }

    private Tile Column(string name, bool needed, int columns) => needed ? _kernel.Sbuf(name, columns, DataType.Fp32)[0] : default;

    private void Add(in TileView target, in TileView source, in ScalarOperand addend) => _kernel.TensorScalar(StreamId.Vector, target, source, AluOperator.Add, addend);

    private void Subtract(in TileView target, in TileView subtrahend) => _kernel.TensorScalar(StreamId.Vector, target, target, AluOperator.Subtract, subtrahend);
}
