using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Flash attention backward: scores are recomputed tile by tile; gradients of keys and values accumulate in PSUM over the queries, those of queries in SBUF (or main memory) over the keys.</summary>
/// <remarks>
/// Dao 2023 (arXiv 2307.08691), algorithm 2, with the key block outside. Each row's softmax statistic from the forward pass, the negative logarithm of the sum of its exponentials, is 4 bytes,
/// loaded with the row. Of a head that is cut into several programs, each but the first loads the sums that the one before has stored.
/// </remarks>
internal sealed class AttentionBackwardKernel
{
    private const int StatisticsElements = 16;
    private const int UnitsAhead = 1;
    private readonly Attention _op;
    private readonly AttentionPlan _plan;
    private readonly Range _blocks;
    private readonly KernelBuilder _kernel;
    private readonly int _keysPerBlock;
    private readonly bool _queriesResident;
    private readonly MemoryTensor _queryTensor, _keyTensor, _valueTensor, _outputTensor, _gradientTensor, _sumTensor;
    private readonly MemoryTensor _queryResult, _keyResult, _valueResult;
    private readonly MemoryTensor?[] _partial;
    private readonly float _scale, _gradientScale;
    private readonly TileBuffer _transposes, _scores, _slopes, _valueGradient, _keyGradient, _queryGradient;
    private readonly TileBuffer _keys, _values, _keyRows, _queries, _outputs, _queryRows, _outputRows, _statistics;
    private readonly TileBuffer _probabilities, _differences, _transposed, _accumulators, _results;
    private readonly TileBuffer? _bounded;
    private readonly HeadTranspose _transpose;
    private long _resultRound;

    private AttentionBackwardKernel(Attention op, Accelerator machine, Range blocks, bool values)
    {
        (_op, _plan, _blocks, _scale) = (op, new AttentionPlan(op, machine), blocks, (float)(1 / Math.Sqrt(op.HeadDim)));
        // Slopes of bounded scores carry the opposite sign.
        _gradientScale = op.SoftCap is null ? _scale : -_scale;
        _kernel = new KernelBuilder(machine, op.Name, values);
        long queryRows = op.Batch * op.QueryTokens, keyRows = op.Batch * op.KvTokens, heads = op.KvHeads * _plan.GroupHeads;
        _queryTensor = _kernel.Input("queries", queryRows, heads * op.HeadDim, op.Type);
        _keyTensor = _kernel.Input("keys", keyRows, op.KvHeads * op.HeadDim, op.Type);
        _valueTensor = _kernel.Input("values", keyRows, op.KvHeads * op.ValueDim, op.Type);
        _outputTensor = _kernel.Input("output", queryRows, heads * op.ValueDim, op.Type);
        _gradientTensor = _kernel.Input("gradient of output", queryRows, heads * op.ValueDim, op.Type);
        _sumTensor = _kernel.Input("negative logarithms of sums", queryRows, heads, DataType.Fp32);
        _queryResult = _kernel.Output("gradient of queries", queryRows, heads * op.HeadDim, op.Type);
        _keyResult = _kernel.Output("gradient of keys", keyRows, op.KvHeads * op.HeadDim, op.Type);
        _valueResult = _kernel.Output("gradient of values", keyRows, op.KvHeads * op.ValueDim, op.Type);
        _partial = new MemoryTensor?[_plan.QueryTiles];
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
        _statistics = _kernel.Sbuf("row statistics", StatisticsElements, DataType.Fp32, 4);
        _probabilities = _kernel.Sbuf("probabilities", _keysPerBlock, op.Type, 3);
        _differences = _kernel.Sbuf("slopes", _keysPerBlock, op.Type, 3);
        _bounded = op.SoftCap is null ? null : _kernel.Sbuf("bounded scores", _keysPerBlock, DataType.Fp32, 2);
        _transposed = _kernel.Sbuf("slopes transposed", _keysPerBlock, op.Type, 2);
        _results = _kernel.Sbuf("result", Math.Max(row, op.HeadDim * sizeof(float) / e), op.Type, 4);
        long accumulator = op.HeadDim * sizeof(float);
        _queriesResident = _kernel.FreeSbuf >= accumulator * _plan.QueryTiles;
        _accumulators = _kernel.Sbuf("accumulated gradient of queries", op.HeadDim, DataType.Fp32, _queriesResident ? _plan.QueryTiles : 4);
    }

    /// <summary>A query tile against a block of keys.</summary>
    /// <param name="Head">Key/value head over all sequences.</param>
    /// <param name="Query">Query tile of the key/value head.</param>
    /// <param name="Number">Number of the unit over the whole program.</param>
    /// <param name="Block">Block of keys of the head.</param>
    /// <param name="Turn">Number of the block over the whole program.</param>
    /// <param name="First">The block's first unit.</param>
    /// <param name="Last">The block's last unit.</param>
    private readonly record struct Unit(long Head, int Query, long Number, int Block, long Turn, bool First, bool Last);

    /// <summary>Lowers a backward operator.</summary>
    public static Lowering Lower(Attention op, Accelerator machine, bool values)
    {
        var plan = new AttentionPlan(op, machine);
        var whole = new AttentionBackwardKernel(op with { Batch = 1, KvHeads = 1, QueryHeads = plan.GroupHeads }, machine, default, false);
        string mapping = FormattableString.Invariant(
            $"flash backward, key blocks {whole._keysPerBlock}, query tiles {plan.RowsIn(0)}, gradient of queries in {(whole._queriesResident ? "SBUF" : "main memory")}");
        return AttentionPasses.Lower(op, plan, whole.Blocks, mapping, (part, blocks) => new AttentionBackwardKernel(part, machine, blocks, values).Write());
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
                    yield return new Unit(head, visible[i], number++, block, turn, i == 0, i == visible.Length - 1);
                }
            }
        }
    }

    private bool Sees(int query, int block) => !_op.Causal || (_plan.LastPosition(query) >= FirstKey(block) && block >= FirstBlock(query));

    private int FirstBlock(int query) => (int)(_plan.WindowStart(_plan.FirstPosition(query)) / _keysPerBlock);

    private long FirstKey(int block) => (long)block * _keysPerBlock;

    private bool Cut(int query, int block) => _op.Causal && FirstKey(block) + KeysIn(block) - 1 > _plan.FirstPosition(query);

    private bool CutByWindow(int query, int block) => FirstKey(block) < _plan.WindowStart(_plan.LastPosition(query));

    private int KeysIn(int block) => (int)Math.Min(_keysPerBlock, _op.KvTokens - FirstKey(block));

    /// <summary>Scores and slopes of probabilities: the two products over the head dimension.</summary>
    private void Products(Unit unit)
    {
        if (unit.First)
        {
            LoadBlock(unit);
        }

        LoadQuery(unit);
        int rows = _plan.RowsIn(unit.Query), keys = KeysIn(unit.Block);
        TileView scores = _scores[unit.Number][..rows, ..keys], slopes = _slopes[unit.Number][..rows, ..keys];
        for (int slice = 0; slice < _plan.HeadSlices; slice++)
        {
            int depth = _plan.SliceDepth(slice), query = slice * _plan.Partitions, key = slice * _keysPerBlock;
            _kernel.MatMul(scores, _queries[unit.Number][..depth, query..(query + rows)], _keys[unit.Turn][..depth, key..(key + keys)], slice > 0);
            int deep = (int)Math.Min(_plan.Partitions, _op.ValueDim - query);
            if (deep > 0)
            {
                _kernel.MatMul(slopes, _outputs[unit.Number][..deep, query..(query + rows)], _values[unit.Turn][..deep, key..(key + keys)], slice > 0);
            }
        }
    }

    /// <summary>Probabilities from scores, and the slopes of scores: p * (dp - sum(dp * p)); of scores bounded by cap * t, t = tanh(score / cap), that times t^2 - 1, which is minus the slope.</summary>
    private void Slopes(Unit unit)
    {
        int rows = _plan.RowsIn(unit.Query), keys = KeysIn(unit.Block);
        TileView probability = _probabilities[unit.Number][..rows, ..keys], statistics = _statistics[unit.Number][..rows, ..];
        TileView scores = _scores[unit.Number][..rows, ..keys], differences = _differences[unit.Number][..rows, ..keys];
        if (_op.SoftCap is { } cap)
        {
            TileView bounded = _bounded![unit.Number][..rows, ..keys];
            _kernel.Activation(ActivationFunction.Tanh, bounded, scores, scale: (float)(_scale / cap));
            scores = bounded;
        }

        _kernel.Activation(ActivationFunction.Exp, probability, scores, statistics.Columns(0, 1), (float?)_op.SoftCap ?? _scale);
        if (Cut(unit.Query, unit.Block))
        {
            _kernel.AffineSelect(probability, probability, _plan.VisibleFrom(unit.Query, FirstKey(unit.Block)), 0);
        }

        if (CutByWindow(unit.Query, unit.Block))
        {
            _kernel.AffineSelect(probability, probability, _plan.InWindow(unit.Query, FirstKey(unit.Block)), 0);
        }

        _kernel.ScalarTensorTensor(differences, _slopes[unit.Number][..rows, ..keys], AluOperator.Add, statistics.Columns(1, 1), AluOperator.Multiply, probability);
        if (_op.SoftCap is not null)
        {
            _kernel.Activation(ActivationFunction.Square, scores, scores);
            _kernel.ScalarTensorTensor(differences, scores, AluOperator.Subtract, 1, AluOperator.Multiply, differences);
        }
    }

    private void Gradients(Unit unit)
    {
        int rows = _plan.RowsIn(unit.Query), keys = KeysIn(unit.Block), d = (int)_op.HeadDim, dv = (int)_op.ValueDim;
        Tile bank = _transposes[0], transposed = _transposed[unit.Number];
        TileView slopes = _differences[unit.Number][..rows, ..keys], probabilities = _probabilities[unit.Number][..rows, ..keys];
        foreach ((int start, int count, int chunk) in Chunks(keys))
        {
            _kernel.Transpose(bank[..count, (chunk * rows)..((chunk + 1) * rows)], slopes.Columns(start, count));
        }

        Evict(transposed, bank, keys, rows, 1);
        foreach ((int start, int count, int chunk) in Chunks(keys))
        {
            _kernel.MatMul(_valueGradient[unit.Turn][..count, (chunk * dv)..((chunk + 1) * dv)], probabilities.Columns(start, count), _outputRows[2 * unit.Number][..rows, ..dv], !unit.First);
            _kernel.MatMul(_keyGradient[unit.Turn][..count, (chunk * d)..((chunk + 1) * d)], slopes.Columns(start, count), _queryRows[unit.Number][..rows, ..d], !unit.First);
        }

        foreach ((int start, int count, int chunk) in Chunks(keys))
        {
            _kernel.MatMul(
                _queryGradient[unit.Number][..rows, ..d], transposed[..count, (chunk * rows)..((chunk + 1) * rows)],
                _keyRows[2 * unit.Turn][..count, (chunk * d)..((chunk + 1) * d)], start > 0);
        }

        AccumulateQuery(unit, rows, d);
        if (unit.Last)
        {
            StoreBlock(unit, keys);
        }
    }

    /// <summary>Keys of a block, as many at once as there are partitions.</summary>
    private IEnumerable<(int Start, int Count, int Chunk)> Chunks(int keys)
    {
        for (int start = 0; start < keys; start += _plan.Partitions)
        {
            yield return (start, Math.Min(_plan.Partitions, keys - start), start / _plan.Partitions);
        }
    }

    /// <summary>Chunks of <paramref name="width"/> elements by ScalarE from PSUM, times a constant: the whole ones at once, then the rest.</summary>
    private void Evict(Tile target, Tile bank, int keys, int width, float scale)
    {
        int whole = keys / _plan.Partitions * width, rest = keys % _plan.Partitions;
        if (whole > 0)
        {
            Evict(target[.., ..whole], bank[.., ..whole]);
        }

        if (rest > 0)
        {
            Evict(target[..rest, whole..(whole + width)], bank[..rest, whole..(whole + width)]);
        }

        void Evict(in TileView to, in TileView from)
        {
            if (scale == 1)
            {
                _kernel.Copy(StreamId.Scalar, to, from);
            }
            else
            {
                _kernel.Activation(ActivationFunction.Identity, to, from, scale: scale);
            }
        }
    }

    private void LoadBlock(Unit unit)
    {
        int keys = KeysIn(unit.Block);
        Load(_keyTensor, _op.HeadDim, _keyRows[2 * unit.Turn], _keys[unit.Turn]);
        Load(_valueTensor, _op.ValueDim, _keyRows[(2 * unit.Turn) + 1], _values[unit.Turn]);

        void Load(MemoryTensor tensor, long features, Tile rows, Tile target)
        {
            _kernel.Load(StreamId.QueueWeights, _plan.ByRow(rows, keys, features), KeyRows(tensor, unit, keys, features));
            _transpose.Write(target, rows, keys, _keysPerBlock, features);
        }
    }

    private MemoryView KeyRows(MemoryTensor tensor, Unit unit, int keys, long features)
    {
        (long batch, long kvHead) = Math.DivRem(unit.Head, _op.KvHeads);
        return tensor.Part((batch * _op.KvTokens) + FirstKey(unit.Block), keys, kvHead * features, features);
    }

    private void LoadQuery(Unit unit)
    {
        int rows = _plan.RowsIn(unit.Query);
        Tile query = _queryRows[unit.Number], gradient = _outputRows[2 * unit.Number];
        TileView output = _outputRows[(2 * unit.Number) + 1][..rows, ..], statistics = _statistics[unit.Number][..rows, ..];
        Load(query, _queryTensor, _op.HeadDim);
        Load(gradient, _gradientTensor, _op.ValueDim);
        _kernel.Load(StreamId.QueueActivations, output, _plan.QueryRows(_outputTensor, unit.Query, unit.Head, _op.ValueDim));
        _kernel.Load(StreamId.QueueSmall, statistics.Columns(0, 1), _plan.QueryRows(_sumTensor, unit.Query, unit.Head, 1));
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, output, output, gradient[..rows, ..]);
        _kernel.TensorReduce(AluOperator.Add, statistics.Columns(1, 1), output, negate: true);
        _transpose.Write(_queries[unit.Number], query, rows, _plan.Partitions, _op.HeadDim);
        _transpose.Write(_outputs[unit.Number], gradient, rows, _plan.Partitions, _op.ValueDim);

        void Load(Tile target, MemoryTensor tensor, long features) => _kernel.Load(StreamId.QueueActivations, target[..rows, ..], _plan.QueryRows(tensor, unit.Query, unit.Head, features));
    }

    private void AccumulateQuery(Unit unit, int rows, int d)
    {
        TileView sum = (_queriesResident ? _accumulators[unit.Query] : _accumulators[unit.Number])[..rows, ..d], gradient = _queryGradient[unit.Number][..rows, ..d];
        bool last = (unit.Block + 1L) * _keysPerBlock >= _op.KvTokens || !Sees(unit.Query, unit.Block + 1);
        bool first = unit.Block == FirstBlock(unit.Query);
        if (!first && (!_queriesResident || unit.Block == _blocks.Start.Value))
        {
            _kernel.Load(StreamId.QueueSmall, sum, Partial(unit.Query, rows));
        }

        if (first)
        {
            _kernel.Copy(StreamId.Vector, sum, gradient);
        }
        else
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, sum, gradient, sum);
        }

        if (last)
        {
            TileView result = _results[_resultRound++][..rows, ..d];
            _kernel.TensorScalar(StreamId.Vector, result, sum, AluOperator.Multiply, _gradientScale);
            _kernel.Store(StreamId.QueueStores, _plan.QueryRows(_queryResult, unit.Query, unit.Head, _op.HeadDim), result);
        }
        else if (!_queriesResident || unit.Block + 1 == _blocks.End.Value)
        {
            _kernel.Store(StreamId.QueueStores, Partial(unit.Query, rows), sum);
        }
    }

    /// <summary>Where a query tile's gradient waits in main memory for the next block of keys.</summary>
    private MemoryView Partial(int query, int rows) =>
        (_partial[query] ??= _kernel.Scratch(FormattableString.Invariant($"partial gradient of query tile {query}"), _plan.Partitions, _op.HeadDim, DataType.Fp32)).Part(0, rows);

    private void StoreBlock(Unit unit, int keys)
    {
        Store(_valueResult, _op.ValueDim, _valueGradient, 1);
        Store(_keyResult, _op.HeadDim, _keyGradient, _gradientScale);

        void Store(MemoryTensor target, long features, TileBuffer gradient, float scale)
        {
            Tile result = _results[_resultRound++];
            Evict(result, gradient[unit.Turn], keys, (int)features, scale);
            _kernel.Store(StreamId.QueueStores, KeyRows(target, unit, keys, features), _plan.ByRow(result, keys, features));
        }
    }
}
