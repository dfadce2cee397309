using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Queries, keys and values in SBUF, in the orientation that the products need: head dimension on partitions for queries and keys, tokens for values.</summary>
internal sealed class AttentionOperands
{
    private readonly KernelBuilder _kernel;
    private readonly Attention _op;
    private readonly AttentionPlan _plan;
    private readonly HeadTranspose _transpose;
    private readonly TileBuffer _queries;
    private readonly TileBuffer? _queryStaging;
    private readonly TileBuffer _keys;
    private readonly TileBuffer _values;
    private readonly TileBuffer? _keyStaging;
    private readonly bool _byDma;
    private readonly (long Pass, long Load)[] _loaded;
    private long _queryTurn = -1;
    private long _loads;

    public AttentionOperands(KernelBuilder kernel, Attention op, AttentionPlan plan, TileBuffer banks)
    {
        (_kernel, _op, _plan, _transpose) = (kernel, op, plan, new HeadTranspose(kernel, op, plan, banks));
        _loaded = new (long, long)[plan.KeyTiles];
        Array.Fill(_loaded, (-1, 0));
        long queryBytes = (long)plan.HeadSlices * plan.Partitions * plan.ElementSize;
        _queries = kernel.Sbuf("queries", queryBytes, (2 * plan.QueryGroup) + 2);
        _byDma = kernel.Machine.Dma.MemoryTransposeShare > 0 && plan.ElementSize >= 2;
        _queryStaging = _byDma ? null : kernel.Sbuf("queries to transpose", op.HeadDim * plan.ElementSize, 2);
        _keys = kernel.Sbuf("keys", plan.KeyTileBytes, plan.KeyValueCopies);
        _values = kernel.Sbuf("values", plan.ValueTileBytes, plan.KeyValueCopies);
        _keyStaging = _byDma ? null : kernel.Sbuf("keys to transpose", plan.ValueTileBytes, 2);
    }

    /// <summary>The transposed query tile of <paramref name="turn"/>, loaded at its first use.</summary>
    public Tile Query(int query, long turn)
    {
        Tile target = _queries[turn];
        if (turn > _queryTurn)
        {
            _queryTurn = turn;
            int rows = _plan.RowsIn(query);
            LoadTransposed(StreamId.QueueActivations, target, _queryStaging?[turn], rows);
        }

        return target;
    }

    /// <summary>Transposed keys and values of key tile <paramref name="tile"/>, loaded at their first use in <paramref name="pass"/>.</summary>
    public (Tile Keys, Tile Values) KeyValue(long pass, int tile)
    {
        (long loadedIn, long load) = _loaded[tile];
        if (loadedIn != pass)
        {
            load = _loads++;
            _loaded[tile] = (pass, load);
            Load(load, tile);
        }

        return (_keys[load], _values[load]);
    }

    private void Load(long load, int tile)
    {
        int keys = _plan.KeysIn(tile);
        LoadTransposed(StreamId.QueueWeights, _keys[load], _keyStaging?[load], keys);
        _kernel.Load(StreamId.QueueWeights, _values[load], keys, _op.HeadDim * _plan.ElementSize);
    }

    private void LoadTransposed(StreamId queue, Tile target, Tile? staging, int tokens)
    {
        if (staging is not { } rows)
        {
            _kernel.LoadTransposed(queue, target, tokens, _op.HeadDim * _plan.ElementSize);
            return;
        }

        _kernel.Load(queue, rows, tokens, _op.HeadDim * _plan.ElementSize);
        _transpose.Write(target, rows, Math.Min(tokens, _plan.Partitions), (tokens + _plan.Partitions - 1) / _plan.Partitions);
    }
}
