using Systolic.Numerics;
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
    private readonly MemoryTensor _queryTensor;
    private readonly MemoryTensor _keyTensor;
    private readonly MemoryTensor _valueTensor;
    private readonly TileBuffer _queries;
    private readonly TileBuffer? _queryStaging;
    private readonly TileBuffer _keys;
    private readonly TileBuffer _values;
    private readonly TileBuffer? _keyStaging;
    private readonly bool _byDma;
    private readonly int _keyStride;
    private readonly (long Pass, long Load)[,] _loaded;
    private long _queryTurn = -1;
    private long _loads;

    public AttentionOperands(KernelBuilder kernel, Attention op, AttentionPlan plan, TileBuffer banks)
    {
        (_kernel, _op, _plan, _transpose) = (kernel, op, plan, new HeadTranspose(kernel, op, plan, banks));
        DataType type = op.Type;
        _queryTensor = kernel.Input("queries", op.Batch * op.QueryTokens, QueryColumns, type);
        _keyTensor = kernel.Input("keys", op.Batch * op.KvTokens, op.KvHeads * op.HeadDim, type);
        _valueTensor = kernel.Input("values", op.Batch * op.KvTokens, op.KvHeads * op.HeadDim, type);
        Output = kernel.Output("output", op.Batch * op.QueryTokens, QueryColumns, type);
        _loaded = new (long, long)[AttentionKernel.UnitsAhead + 1, plan.KeyTiles];
        _keyStride = AttentionPlan.KeyChunks(plan.Partitions) * plan.Partitions;
        _queries = kernel.Sbuf("queries", (long)plan.HeadSlices * plan.Partitions, type, (2 * plan.QueryGroup) + 2);
        _byDma = kernel.Machine.Dma.MemoryTransposeShare > 0 && plan.ElementSize >= 2;
        _queryStaging = _byDma ? null : kernel.Sbuf("queries to transpose", op.HeadDim, type, 2);
        _keys = kernel.Sbuf("keys", plan.KeyTileBytes / plan.ElementSize, type, plan.KeyValueCopies);
        _values = kernel.Sbuf("values", plan.ValueTileBytes / plan.ElementSize, type, plan.KeyValueCopies);
        _keyStaging = _byDma ? null : kernel.Sbuf("keys to transpose", plan.ValueTileBytes / plan.ElementSize, type, 2);
    }

    /// <summary>The result, laid out as the queries are.</summary>
    public MemoryTensor Output { get; }

    private long QueryColumns => _op.KvHeads * _plan.GroupHeads * _op.HeadDim;

    /// <summary>Slice <paramref name="slice"/> of the head dimension of the transposed query tile of <paramref name="turn"/>, loaded at its first use.</summary>
    public TileView Query(int query, long turn, long head, int slice)
    {
        Tile target = _queries[turn];
        int rows = _plan.RowsIn(query);
        if (turn > _queryTurn)
        {
            _queryTurn = turn;
            LoadTransposed(StreamId.QueueActivations, target, _queryStaging?[turn], QueryRows(_queryTensor, query, head), _plan.Partitions);
        }

        int start = slice * _plan.Partitions;
        return target[.._plan.SliceDepth(slice), start..(start + rows)];
    }

    /// <summary>Where the rows of a query tile lie: tokens of one head, or all heads of a token and then those of the next.</summary>
    public MemoryView QueryRows(MemoryTensor tensor, int query, long head)
    {
        (long batch, long kvHead) = Math.DivRem(head, _op.KvHeads);
        long first = kvHead * _plan.GroupHeads * _op.HeadDim;
        return _plan.Stacked
            ? new MemoryView(tensor, (batch * _op.QueryTokens * QueryColumns) + first, new MemoryPattern((int)_op.QueryTokens, QueryColumns, (int)_plan.GroupHeads, _op.HeadDim, 1, 0, (int)_op.HeadDim))
            : tensor.Part(
                (batch * _op.QueryTokens) + ((long)(query % _plan.TilesPerHead) * _plan.Partitions), _plan.RowsIn(query),
                first + (query / _plan.TilesPerHead * _op.HeadDim), _op.HeadDim);
    }

    /// <summary>Number of the load of key tile <paramref name="tile"/>, which is written at its first use in <paramref name="pass"/>; as many passes are open as units run ahead.</summary>
    public long KeyValue(long pass, int tile, long head)
    {
        ref (long Pass, long Load) loaded = ref _loaded[pass % _loaded.GetLength(0), tile];
        if (loaded.Pass != pass + 1)
        {
            loaded = (pass + 1, _loads++);
            Load(loaded.Load, tile, head);
        }

        return loaded.Load;
    }

    /// <summary>Slice <paramref name="slice"/> of the head dimension of the transposed keys of a load.</summary>
    public TileView Keys(long load, int slice, int keys)
    {
        int start = slice * _keyStride;
        return _keys[load][.._plan.SliceDepth(slice), start..(start + keys)];
    }

    /// <summary>Values of a load: <paramref name="count"/> tokens of chunk <paramref name="chunk"/>.</summary>
    public TileView Values(long load, int chunk, int count)
    {
        int start = (int)(chunk * _op.HeadDim);
        return _values[load][..count, start..(start + (int)_op.HeadDim)];
    }

    private void Load(long load, int tile, long head)
    {
        (long batch, long kvHead) = Math.DivRem(head, _op.KvHeads);
        long row = (batch * _op.KvTokens) + ((long)tile * AttentionPlan.TileKeys);
        int keys = _plan.KeysIn(tile);
        LoadTransposed(StreamId.QueueWeights, _keys[load], _keyStaging?[load], _keyTensor.Part(row, keys, kvHead * _op.HeadDim, _op.HeadDim), _keyStride);
        _kernel.Load(StreamId.QueueWeights, ByRow(_values[load], keys), _valueTensor.Part(row, keys, kvHead * _op.HeadDim, _op.HeadDim));
    }

    private void LoadTransposed(StreamId queue, Tile target, Tile? staging, in MemoryView source, int sliceStride)
    {
        int tokens = source.Pattern.AllRows;
        if (staging is { } rows)
        {
            _kernel.Load(queue, ByRow(rows, tokens), source);
            _transpose.Write(target, rows, tokens, sliceStride);
            return;
        }

        TileView slice = target[.._plan.SliceDepth(0), ..tokens];
        _kernel.LoadTransposed(queue, _plan.HeadSlices == 1 ? slice : slice.Repeat(_plan.HeadSlices, sliceStride), source);
    }

    private TileView ByRow(Tile tile, int tokens) =>
        tile[..Math.Min(tokens, _plan.Partitions), ..(int)(MatMulPlan.Ceiling(tokens, _plan.Partitions) * _op.HeadDim)];
}
