using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Flash attention backward: scores are recomputed tile by tile; gradients of keys and values accumulate in PSUM over the queries, those of queries in SBUF (or main memory) over the keys.</summary>
/// <remarks>Dao 2023 (arXiv 2307.08691), algorithm 2, with the key block outside. Each row's softmax statistics from the forward pass are 4 bytes, loaded with the row.</remarks>
internal sealed class AttentionBackwardKernel
{
    private const int SmallBytes = 64;
    private const int UnitsAhead = 1;
    private readonly Attention _op;
    private readonly AttentionPlan _plan;
    private readonly Range _blocks;
    private readonly KernelBuilder _kernel;
    private readonly int _keysPerBlock;
    private readonly bool _queriesResident;
    private readonly TileBuffer _transposes, _scores, _slopes, _valueGradient, _keyGradient, _queryGradient;
    private readonly TileBuffer _keys, _values, _keyRows, _queries, _outputs, _queryRows, _outputRows, _statistics;
    private readonly TileBuffer _probabilities, _differences, _transposed, _accumulators, _results;
    private readonly TileBuffer? _bounded;
    private readonly HeadTranspose _transpose;
    private long _resultRound;

    private AttentionBackwardKernel(Attention op, Accelerator machine, Range blocks)
    {
        (_op, _plan, _blocks) = (op, new AttentionPlan(op, machine), blocks);
        _kernel = new KernelBuilder(machine, op.Name);
        int chunks = (int)Math.Clamp(_kernel.BankColumns / op.HeadDim, 1, AttentionPlan.TileKeys / _plan.Partitions);
        _keysPerBlock = chunks * _plan.Partitions;
        _transposes = _kernel.Psum("transposes", 1, op.Type);
        _transpose = new HeadTranspose(_kernel, _plan, _transposes);
        _scores = _kernel.Psum("scores", 2);
        _slopes = _kernel.Psum("slopes of scores", 2);
        _valueGradient = _kernel.Psum("gradient of values", 1);
        _keyGradient = _kernel.Psum("gradient of keys", 1);
        _queryGradient = _kernel.Psum("gradient of queries", 1);
        int e = _plan.ElementSize;
        long block = (long)_keysPerBlock * _plan.HeadSlices, row = chunks * op.HeadDim, tile = (long)_plan.HeadSlices * _plan.Partitions;
        _keys = _kernel.Sbuf("keys", block, op.Type, 2);
        _values = _kernel.Sbuf("values", block, op.Type, 2);
        _keyRows = _kernel.Sbuf("keys and values by row", row, op.Type, 4);
        _queries = _kernel.Sbuf("queries", tile, op.Type, 3);
        _outputs = _kernel.Sbuf("gradient of output", tile, op.Type, 3);
        _queryRows = _kernel.Sbuf("queries by row", op.HeadDim, op.Type, 4);
        _outputRows = _kernel.Sbuf("output and its gradient by row", op.ValueDim, op.Type, 8);
        _statistics = _kernel.Sbuf("row statistics", SmallBytes, 4);
        _probabilities = _kernel.Sbuf("probabilities", (long)_keysPerBlock * e, 3);
        _differences = _kernel.Sbuf("slopes", (long)_keysPerBlock * e, 3);
        _bounded = op.SoftCap is null ? null : _kernel.Sbuf("bounded scores", (long)_keysPerBlock * sizeof(float), 2);
        _transposed = _kernel.Sbuf("slopes transposed", (long)_keysPerBlock * e, 2);
        _results = _kernel.Sbuf("result", Math.Max(row * e, op.HeadDim * sizeof(float)), 4);
        long accumulator = op.HeadDim * sizeof(float);
        _queriesResident = _kernel.FreeSbuf >= accumulator * _plan.QueryTiles;
        _accumulators = _kernel.Sbuf("accumulated gradient of queries", accumulator, _queriesResident ? _plan.QueryTiles : 4);
    }

    /// <summary>A query tile against a block of keys.</summary>
    /// <param name="Query">Query tile of the key/value head.</param>
    /// <param name="Number">Number of the unit over the whole program.</param>
    /// <param name="Block">Block of keys of the head.</param>
    /// <param name="Turn">Number of the block over the whole program.</param>
    /// <param name="First">The block's first unit.</param>
    /// <param name="Last">The block's last unit.</param>
    private readonly record struct Unit(int Query, long Number, int Block, long Turn, bool First, bool Last);

    /// <summary>Lowers a backward operator.</summary>
    public static Lowering Lower(Attention op, Accelerator machine)
    {
        var plan = new AttentionPlan(op, machine);
        var whole = new AttentionBackwardKernel(op with { Batch = 1, KvHeads = 1, QueryHeads = plan.GroupHeads }, machine, default);
        string mapping = FormattableString.Invariant(
            $"flash backward, key blocks {whole._keysPerBlock}, query tiles {plan.RowsIn(0)}, gradient of queries in {(whole._queriesResident ? "SBUF" : "main memory")}");
        return AttentionPasses.Lower(op, plan, whole.Blocks, mapping, (part, blocks) => new AttentionBackwardKernel(part, machine, blocks).Write());
    }

    private int Blocks => (int)MatMulPlan.Ceiling(_op.KvTokens, _keysPerBlock);

    private Program Write()
    {
        var open = new Queue<Unit>();
        foreach (Unit unit in Units())
        {
            Products(unit);
            open.Enqueue(unit);
            if (open.Count > UnitsAhead)
            {
                Gradients(open.Dequeue());
            }

            Slopes(unit);
        }

        while (open.TryDequeue(out Unit unit))
        {
            Gradients(unit);
        }

        return _kernel.Build();
    }

    private IEnumerable<Unit> Units()
    {
        long number = 0, turn = 0;
        for (long head = 0; head < _op.Batch * _op.KvHeads; head++)
        {
            for (int block = _blocks.Start.Value; block < _blocks.End.Value; block++, turn++)
            {
                int[] visible = [.. Enumerable.Range(0, _plan.QueryTiles).Where(query => Sees(query, block))];
                for (int i = 0; i < visible.Length; i++)
                {
                    yield return new Unit(visible[i], number++, block, turn, i == 0, i == visible.Length - 1);
                }
            }
        }
    }

    private bool Sees(int query, int block) => !_op.Causal || (_plan.LastPosition(query) >= (long)block * _keysPerBlock && block >= FirstBlock(query));

    private int FirstBlock(int query) => (int)(_plan.WindowStart(_plan.FirstPosition(query)) / _keysPerBlock);

    private bool Cut(int query, int block) => _op.Causal && ((long)block * _keysPerBlock) + KeysIn(block) - 1 > _plan.FirstPosition(query);

    private bool CutByWindow(int query, int block) => (long)block * _keysPerBlock < _plan.WindowStart(_plan.LastPosition(query));

    private int KeysIn(int block) => (int)Math.Min(_keysPerBlock, _op.KvTokens - ((long)block * _keysPerBlock));

    /// <summary>Scores and slopes of probabilities: the two products over the head dimension.</summary>
    private void Products(Unit unit)
    {
        if (unit.First)
        {
            LoadBlock(unit);
        }

        LoadQuery(unit);
        int rows = _plan.RowsIn(unit.Query), keys = KeysIn(unit.Block);
        for (int first = 0; first < _op.HeadDim; first += _plan.Partitions)
        {
            _kernel.MatMul(_scores[unit.Number], _queries[unit.Number], _keys[unit.Turn], Depth(_op.HeadDim, first), rows, keys, _op.Type, first > 0);
            if (first < _op.ValueDim)
            {
                _kernel.MatMul(_slopes[unit.Number], _outputs[unit.Number], _values[unit.Turn], Depth(_op.ValueDim, first), rows, keys, _op.Type, first > 0);
            }
        }
    }

    private int Depth(long features, int first) => (int)Math.Min(_plan.Partitions, features - first);

    /// <summary>Probabilities from scores, and the slopes of scores: p * (dp - sum(dp * p)).</summary>
    private void Slopes(Unit unit)
    {
        int rows = _plan.RowsIn(unit.Query), keys = KeysIn(unit.Block);
        Tile probability = _probabilities[unit.Number], scores = _scores[unit.Number], differences = _differences[unit.Number];
        if (_bounded is not null)
        {
            scores = _bounded[unit.Number];
            _kernel.Activation(ActivationFunction.Tanh, scores, _scores[unit.Number], null, rows, keys, DataType.Fp32, DataType.Fp32);
        }

        _kernel.Activation(ActivationFunction.Exp, probability, scores, _statistics[unit.Number], rows, keys, DataType.Fp32, _op.Type);
        foreach (bool cut in (bool[])[Cut(unit.Query, unit.Block), CutByWindow(unit.Query, unit.Block)])
        {
            if (cut)
            {
                _kernel.AffineSelect(probability, probability, rows, keys, _op.Type);
            }
        }

        _kernel.ScalarTensorTensor(differences, _slopes[unit.Number], probability, rows, keys, DataType.Fp32, _op.Type);
        if (_bounded is not null)
        {
            _kernel.Activation(ActivationFunction.Square, scores, scores, null, rows, keys, DataType.Fp32, DataType.Fp32);
            _kernel.ScalarTensorTensor(differences, scores, differences, rows, keys, DataType.Fp32, _op.Type);
        }
    }

    private void Gradients(Unit unit)
    {
        int rows = _plan.RowsIn(unit.Query), keys = KeysIn(unit.Block), d = (int)_op.HeadDim;
        Tile slopes = _differences[unit.Number], bank = _transposes[0], transposed = _transposed[unit.Number];
        for (int start = 0; start < keys; start += _plan.Partitions)
        {
            _kernel.Transpose(bank, slopes, rows, Math.Min(_plan.Partitions, keys - start), _op.Type);
        }

        int chunks = (int)MatMulPlan.Ceiling(keys, _plan.Partitions);
        _kernel.Copy(StreamId.Scalar, transposed, bank, Math.Min(_plan.Partitions, keys), rows * chunks, _op.Type, _op.Type);
        for (int start = 0; start < keys; start += _plan.Partitions)
        {
            int chunk = Math.Min(_plan.Partitions, keys - start);
            _kernel.MatMul(_valueGradient[unit.Turn], _probabilities[unit.Number], _outputRows[2 * unit.Number], rows, chunk, (int)_op.ValueDim, _op.Type, !unit.First || start > 0);
            _kernel.MatMul(_keyGradient[unit.Turn], slopes, _queryRows[unit.Number], rows, chunk, d, _op.Type, !unit.First || start > 0);
        }

        for (int start = 0; start < keys; start += _plan.Partitions)
        {
            _kernel.MatMul(_queryGradient[unit.Number], transposed, _keyRows[2 * unit.Turn], Math.Min(_plan.Partitions, keys - start), rows, d, _op.Type, start > 0);
        }

        AccumulateQuery(unit, rows, d);
        if (unit.Last)
        {
            StoreBlock(unit, keys);
        }
    }

    private void LoadBlock(Unit unit)
    {
        int keys = KeysIn(unit.Block);
        foreach ((Tile rows, Tile target, long features) in new[] { (_keyRows[2 * unit.Turn], _keys[unit.Turn], _op.HeadDim), (_keyRows[(2 * unit.Turn) + 1], _values[unit.Turn], _op.ValueDim) })
        {
            _kernel.Load(StreamId.QueueWeights, rows, keys, features * _plan.ElementSize);
            _transpose.Write(target, rows, keys, _keysPerBlock, features);
        }
    }

    private void LoadQuery(Unit unit)
    {
        int rows = _plan.RowsIn(unit.Query), d = (int)_op.ValueDim;
        long bytes = _op.ValueDim * _plan.ElementSize;
        Tile query = _queryRows[unit.Number], gradient = _outputRows[2 * unit.Number], output = _outputRows[(2 * unit.Number) + 1];
        _kernel.Load(StreamId.QueueActivations, query, rows, _op.HeadDim * _plan.ElementSize);
        _kernel.Load(StreamId.QueueActivations, gradient, rows, bytes);
        _kernel.Load(StreamId.QueueActivations, output, rows, bytes);
        _kernel.Load(StreamId.QueueSmall, _statistics[unit.Number], rows, sizeof(float));
        _kernel.TensorTensor(StreamId.Vector, output, output, gradient, rows, d, _op.Type, _op.Type);
        _kernel.TensorReduce(_statistics[unit.Number], output, rows, d, _op.Type, DataType.Fp32);
        _transpose.Write(_queries[unit.Number], query, rows, _plan.Partitions, _op.HeadDim);
        _transpose.Write(_outputs[unit.Number], gradient, rows, _plan.Partitions, _op.ValueDim);
    }

    private void AccumulateQuery(Unit unit, int rows, int d)
    {
        Tile sum = _queriesResident ? _accumulators[unit.Query] : _accumulators[unit.Number];
        bool last = (unit.Block + 1L) * _keysPerBlock >= _op.KvTokens || !Sees(unit.Query, unit.Block + 1);
        bool first = unit.Block == FirstBlock(unit.Query);
        if (!first && !_queriesResident)
        {
            _kernel.Load(StreamId.QueueSmall, sum, rows, _op.HeadDim * sizeof(float));
        }

        if (first)
        {
            _kernel.Copy(StreamId.Vector, sum, _queryGradient[unit.Number], rows, d, DataType.Fp32, DataType.Fp32);
        }
        else
        {
            _kernel.TensorTensor(StreamId.Vector, sum, _queryGradient[unit.Number], sum, rows, d, DataType.Fp32, DataType.Fp32);
        }

        if (last)
        {
            Tile result = _results[_resultRound++];
            _kernel.Copy(StreamId.Vector, result, sum, rows, d, DataType.Fp32, _op.Type);
            _kernel.Store(StreamId.QueueStores, result, rows, _op.HeadDim * _plan.ElementSize);
        }
        else if (!_queriesResident)
        {
            _kernel.Store(StreamId.QueueStores, sum, rows, _op.HeadDim * sizeof(float));
        }
    }

    private void StoreBlock(Unit unit, int keys)
    {
        int chunks = (int)MatMulPlan.Ceiling(keys, _plan.Partitions);
        foreach ((TileBuffer gradient, long features) in new[] { (_valueGradient, _op.ValueDim), (_keyGradient, _op.HeadDim) })
        {
            Tile result = _results[_resultRound++];
            _kernel.Copy(StreamId.Scalar, result, gradient[unit.Turn], Math.Min(keys, _plan.Partitions), (int)(chunks * features), DataType.Fp32, _op.Type);
            _kernel.Store(StreamId.QueueStores, result, keys, features * _plan.ElementSize);
        }
    }
}
