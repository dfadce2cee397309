using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Queries, keys and values of prefill attention in SBUF as bf16: features on partitions for queries and keys, tokens for values.</summary>
/// <remarks>The keys and values of a section have one place each, so those of the next section come when the products with the last ones are done.</remarks>
internal sealed class PrefillOperands
{
    private const int PackedGroups = 8;
    private const int PackedGroupsFp32 = 4;

    private readonly KernelBuilder _kernel;
    private readonly PrefillAttention _op;
    private readonly PrefillPlan _plan;
    private readonly PrefillBounds _bounds;
    private readonly MemoryTensor _queryTensor;
    private readonly (MemoryTensor Keys, MemoryTensor Values) _current;
    private readonly (MemoryTensor Keys, MemoryTensor Values)? _prior;
    private readonly TileBuffer _queries;
    private readonly TileBuffer _keys;
    private readonly TileBuffer _values;
    private readonly TileBuffer? _queryRows;
    private readonly TileBuffer? _queryStaging;
    private readonly TileBuffer? _keyRows;
    private readonly TileBuffer? _keyStaging;
    private readonly TileBuffer? _indices;
    private readonly TileBuffer? _banks;
    private readonly int _packed;
    private int? _loaded;
    private long _packs;
    private long _staged;
    private long _indexed;
    private long _transposed;

    public PrefillOperands(KernelBuilder kernel, PrefillAttention op, PrefillPlan plan, PrefillBounds bounds, bool divided)
    {
        (_kernel, _op, _plan, _bounds) = (kernel, op, plan, bounds);
        _packed = Math.Min(plan.Groups, op.Type == DataType.Fp32 ? PackedGroupsFp32 : PackedGroups);
        _queryTensor = Declare("queries", op.Heads, op.Queries, op.QueriesByToken);
        _current = (Declare("keys", op.KvHeads, op.Keys, op.KeysByToken), Declare("values", op.KvHeads, op.Keys, true));
        _prior = op.PriorKeys == 0 ? null : (Declare("prior keys", op.KvHeads, op.PriorKeys, op.KeysByToken), Declare("prior values", op.KvHeads, op.PriorKeys, true));
        _queries = kernel.Sbuf("queries", _packed * PrefillPlan.GroupQueries, DataType.Bf16, 2);
        _keys = kernel.Sbuf("keys", PrefillPlan.TileKeys, DataType.Bf16, plan.SectionTiles);
        _values = kernel.Sbuf("values", op.HeadDim, DataType.Bf16, plan.SectionTiles * ChunksPerTile);
        bool converts = op.Type != DataType.Bf16, throughArray = op.QueriesByToken && (divided || _packed == 1);
        _queryRows = throughArray ? kernel.Sbuf("queries to transpose", op.HeadDim, DataType.Bf16) : null;
        _queryStaging = op.QueriesByToken && converts ? kernel.Sbuf("queries to convert", _packed * PrefillPlan.GroupQueries, op.Type) : null;
        _keyRows = op.KeysByToken && plan.KeysFromAnywhere ? kernel.Sbuf("keys to transpose", op.HeadDim, DataType.Bf16, ChunksPerTile) : null;
        _keyStaging = op.KeysByToken && converts ? kernel.Sbuf("keys to convert", PrefillPlan.TileKeys, op.Type) : null;
        _indices = plan.KeysFromAnywhere ? kernel.Sbuf("places of keys", 1, DataType.Fp32, 2 * ChunksPerTile * plan.SectionTiles) : null;
        _banks = throughArray || (op.KeysByToken && plan.KeysFromAnywhere) ? kernel.Psum("transposes", 1, DataType.Bf16) : null;
    }

    private static int ChunksPerTile => PrefillPlan.TileKeys / PrefillPlan.ChunkKeys;

    /// <summary>Keys of a tile: features x keys.</summary>
    public TileView Keys(int tile) => _keys[tile % _plan.SectionTiles][.._op.HeadDim, .._plan[tile].Count];

    /// <summary>Values of a chunk of 128 keys of a tile: keys x features.</summary>
    public TileView Values(int tile, int chunk, int count) => _values[(tile % _plan.SectionTiles * ChunksPerTile) + chunk][..count, ..];

    /// <summary>Loads the keys of a section, each seen or not.</summary>
    public void LoadKeys(int kvHead, int section)
    {
        (int first, int count) = _plan.TilesOf(section).GetOffsetAndLength(_plan.Tiles);
        for (int tile = first; tile < first + count; tile++)
        {
            LoadTile(kvHead, tile);
        }
    }

    /// <summary>Loads the values of a section.</summary>
    public void LoadValues(int kvHead, int section)
    {
        (int first, int count) = _plan.TilesOf(section).GetOffsetAndLength(_plan.Tiles);
        for (int tile = first; tile < first + count; tile++)
        {
            for (int start = 0; start < _plan[tile].Count; start += PrefillPlan.ChunkKeys)
            {
                LoadChunk(kvHead, tile, start);
            }
        }
    }

    /// <summary>Loads the queries of a section's first turn.</summary>
    public void LoadFirstQueries(PrefillTurn[] turns)
    {
        _loaded = null;
        if (turns.Length > 0)
        {
            LoadQueries(turns[0]);
        }
    }

    /// <summary>Loads the queries of a turn unless they are there: several groups with the first of them, where the head is not divided over cores.</summary>
    public void LoadQueries(PrefillTurn turn)
    {
        bool packed = turn.Part.Whole && _packed > 1;
        int pack = packed ? turn.Group / _packed : turn.Group, first = pack * (packed ? _packed : 1) * PrefillPlan.GroupQueries;
        if (pack == _loaded)
        {
            return;
        }

        (_loaded, _packs) = (pack, _packs + 1);
        if (packed || !_op.QueriesByToken)
        {
            LoadPack(turn.Part.Head, first, packed ? Math.Min(_packed * PrefillPlan.GroupQueries, _op.Queries - first) : turn.Rows);
        }
        else
        {
            LoadGroup(turn.Part.Head, first, turn.Rows);
        }
    }

    /// <summary>Where <see cref="LoadQueries"/> put the queries of a turn: features x queries.</summary>
    public TileView Queries(PrefillTurn turn)
    {
        int start = turn.Part.Whole ? turn.Group % _packed * PrefillPlan.GroupQueries : 0;
        return _queries[_packs][.._op.HeadDim, start..(start + turn.Rows)];
    }

    private MemoryTensor Declare(string name, int heads, int tokens, bool byToken) => byToken
        ? _kernel.Input(name, (long)heads * tokens, _op.HeadDim, _op.Type)
        : _kernel.Input(name, (long)heads * _op.HeadDim, tokens, _op.Type);

    /// <summary>Features x tokens or tokens x features of a head, as they lie in main memory.</summary>
    private MemoryView Part(MemoryTensor tensor, bool byToken, int head, int tokens, int first, int count) => byToken
        ? tensor.Part(((long)head * tokens) + first, count)
        : tensor.Part((long)head * _op.HeadDim, _op.HeadDim, first, count);

    private void LoadPack(int head, int first, int count)
    {
        TileView target = _queries[_packs][.._op.HeadDim, ..count];
        MemoryView source = Part(_queryTensor, _op.QueriesByToken, head, _op.Queries, first, count);
        if (_op.QueriesByToken)
        {
            LoadTransposed(StreamId.QueueWeights, target, _queryStaging, source);
        }
        else
        {
            _kernel.Load(StreamId.QueueWeights, target, source, convert: true);
        }
    }

    /// <summary>The array transposes a single group.</summary>
    private void LoadGroup(int head, int first, int rows)
    {
        TileView loaded = _queryRows![0][..rows, .._op.HeadDim], bank = _banks![_transposed++][.._op.HeadDim, ..rows];
        _kernel.Load(StreamId.QueueWeights, loaded, Part(_queryTensor, true, head, _op.Queries, first, rows), convert: true);
        _kernel.Transpose(bank, loaded);
        _kernel.Copy(StreamId.Vector, _queries[_packs][.._op.HeadDim, ..rows], bank);
    }

    /// <summary>The DMA engines transpose, but do not convert at the same time.</summary>
    private void LoadTransposed(StreamId queue, in TileView target, TileBuffer? staging, in MemoryView source)
    {
        if (staging is null)
        {
            _kernel.LoadTransposed(queue, target, source);
            return;
        }

        TileView loaded = staging[_staged++][..target.Partitions, ..target.Elements];
        _kernel.LoadTransposed(queue, loaded, source);
        _kernel.Copy(StreamId.Vector, target, loaded);
    }

    private void LoadTile(int kvHead, int tile)
    {
        KeyTile keys = _plan[tile];
        (MemoryTensor tensor, int tokens) = keys.Prior ? (_prior!.Value.Keys, _op.PriorKeys) : (_current.Keys, _op.Keys);
        if (_plan.KeysFromAnywhere && !keys.Prior)
        {
            FindKeys(kvHead, tile);
            return;
        }

        MemoryView source = Part(tensor, _op.KeysByToken, kvHead, tokens, keys.First, keys.Count);
        if (_op.KeysByToken)
        {
            LoadTransposed(StreamId.QueueWeights, Keys(tile), _keyStaging, source);
        }
        else
        {
            _kernel.Load(StreamId.QueueWeights, Keys(tile), source, convert: true);
        }
    }

    /// <summary>Loads keys from a place known at run time; the array transposes them where needed.</summary>
    private void FindKeys(int kvHead, int tile)
    {
        KeyTile keys = _plan[tile];
        if (!_op.KeysByToken)
        {
            Find(Keys(tile), _bounds.FirstKeyByFeature, keys.First, Rows(_current.Keys, kvHead, 1, keys.Count));
            return;
        }

        TileView bank = _banks![_transposed++][.._op.HeadDim, ..keys.Count];
        for (int start = 0; start < keys.Count; start += PrefillPlan.ChunkKeys)
        {
            int count = Math.Min(PrefillPlan.ChunkKeys, keys.Count - start);
            TileView loaded = _keyRows![start / PrefillPlan.ChunkKeys][..count, ..];
            Find(loaded, _bounds.FirstKey, keys.First + start, Rows(_current.Keys, kvHead, _op.HeadDim, _op.HeadDim));
            _kernel.Transpose(bank.Columns(start, count), loaded);
        }

        _kernel.Copy(StreamId.Vector, Keys(tile), bank);
    }

    private void LoadChunk(int kvHead, int tile, int start)
    {
        KeyTile keys = _plan[tile];
        int count = Math.Min(PrefillPlan.ChunkKeys, keys.Count - start);
        TileView target = Values(tile, start / PrefillPlan.ChunkKeys, count);
        if (_plan.KeysFromAnywhere && !keys.Prior)
        {
            Find(target, _bounds.FirstKey, keys.First + start, Rows(_current.Values, kvHead, _op.HeadDim, _op.HeadDim));
            return;
        }

        (MemoryTensor tensor, int tokens) = keys.Prior ? (_prior!.Value.Values, _op.PriorKeys) : (_current.Values, _op.Keys);
        _kernel.Load(StreamId.QueueWeights, target, Part(tensor, true, kvHead, tokens, keys.First + start, count), convert: true);
    }

    /// <summary>All rows of <paramref name="width"/> elements of a head, one every <paramref name="stride"/> elements.</summary>
    private MemoryView Rows(MemoryTensor tensor, int kvHead, int stride, int width)
    {
        long elements = (long)_op.Keys * _op.HeadDim;
        return new MemoryView(tensor, kvHead * elements, new MemoryPattern(1, 0, (int)((elements - width) / stride) + 1, stride, 1, 0, width));
    }

    /// <summary>Loads the rows that begin <paramref name="offset"/> behind those that <paramref name="first"/> names; software describes such a transfer.</summary>
    private void Find(in TileView target, in TileView first, int offset, in MemoryView source)
    {
        TileView places = _indices![_indexed++][..target.Partitions, ..1];
        _kernel.TensorScalar(StreamId.Vector, places, first with { Partitions = target.Partitions }, AluOperator.Add, offset);
        DescriptorSource described = _kernel.Descriptors;
        _kernel.Descriptors = DescriptorSource.Software;
        _kernel.Gather(StreamId.QueueWeights, target, places, source, convert: true);
        _kernel.Descriptors = described;
    }
}
