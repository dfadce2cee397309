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
        (_kernel, _op, _plan, _transpose) = (kernel, op, plan, new HeadTranspose(kernel, plan, banks));
        DataType type = op.Type;
        _queryTensor = kernel.Input("queries", op.Batch * op.QueryTokens, QueryHeads * op.HeadDim, type);
        _keyTensor = kernel.Input("keys", op.Batch * op.KvTokens, op.KvHeads * op.HeadDim, type);
        _valueTensor = kernel.Input("values", op.Batch * op.KvTokens, op.KvHeads * op.ValueDim, type);
        Output = kernel.Output("output", op.Batch * op.QueryTokens, QueryHeads * op.ValueDim, type);
        Sums = op.KeepsSums ? kernel.Output("negative logarithms of sums", op.Batch * op.QueryTokens, QueryHeads, DataType.Fp32) : null;
        _loaded = new (long, long)[AttentionKernel.UnitsAhead + 1, plan.KeyTiles];
        _keyStride = AttentionPlan.KeyChunks(plan.Partitions) * plan.Partitions;
        _queries = kernel.Sbuf("queries", (long)plan.HeadSlices * plan.Partitions, type, (2 * plan.QueryGroup) + 2);
        _byDma = kernel.Machine.Dma.MemoryTransposeShare > 0 && plan.ElementSize >= 2;
        _queryStaging = _byDma ? null : kernel.Sbuf("queries to transpose", op.HeadDim, type, 2);
        _keys = kernel.Sbuf("keys", plan.KeyTileBytes / plan.ElementSize, type, plan.KeyValueCopies);
        _values = kernel.Sbuf("values", plan.ValueTileBytes / plan.ElementSize, type, plan.KeyValueCopies);
        _keyStaging = _byDma ? null : kernel.Sbuf("keys to transpose", AttentionPlan.KeyChunks(plan.Partitions) * op.HeadDim, type, 2);
    }

    private MemoryTensor Output { get; }

    /// <summary>The negative logarithms of sums, where they are kept.</summary>
    public MemoryTensor? Sums { get; }

    private long QueryHeads => _op.KvHeads * _plan.GroupHeads;

    /// <summary>Slice <paramref name="slice"/> of the head dimension of the transposed query tile of <paramref name="turn"/>, loaded at its first use.</summary>
    public TileView Query(int query, long turn, long head, int slice)
    {
        Tile target = _queries[turn];
        int rows = _plan.RowsIn(query);
        if (turn > _queryTurn)
        {
            _queryTurn = turn;
            LoadTransposed(StreamId.QueueActivations, target, _queryStaging?[turn], _plan.QueryRows(_queryTensor, query, head, _op.HeadDim), _plan.Partitions);
        }

        int start = slice * _plan.Partitions;
        return target[.._plan.SliceDepth(slice), start..(start + rows)];
    }

    /// <summary>Where the rows of the result of a query tile lie.</summary>
    public MemoryView ResultRows(int query, long head) => _plan.QueryRows(Output, query, head, _op.ValueDim);

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
        int start = (int)(chunk * _op.ValueDim);
        return _values[load][..count, start..(start + (int)_op.ValueDim)];
    }

    private void Load(long load, int tile, long head)
    {
        (long batch, long kvHead) = Math.DivRem(head, _op.KvHeads);
        long row = (batch * _op.KvTokens) + ((long)tile * AttentionPlan.TileKeys);
        int keys = _plan.KeysIn(tile);
        LoadTransposed(StreamId.QueueSmall, _keys[load], _keyStaging?[load], _keyTensor.Part(row, keys, kvHead * _op.HeadDim, _op.HeadDim), _keyStride);
        _kernel.Load(StreamId.QueueSmall, _plan.ByRow(_values[load], keys, _op.ValueDim), _valueTensor.Part(row, keys, kvHead * _op.ValueDim, _op.ValueDim));
    }

    private void LoadTransposed(StreamId queue, Tile target, Tile? staging, in MemoryView source, int sliceStride)
    {
        int tokens = source.Pattern.AllRows;
        if (staging is { } rows)
        {
            _kernel.Load(queue, _plan.ByRow(rows, tokens, _op.HeadDim), source);
            _transpose.Write(target, rows, tokens, sliceStride, _op.HeadDim);
            return;
        }

        TileView slice = target[.._plan.SliceDepth(0), ..tokens];
        _kernel.LoadTransposed(queue, _plan.HeadSlices == 1 ? slice : slice.Repeat(_plan.HeadSlices, sliceStride), source);
    }
}
