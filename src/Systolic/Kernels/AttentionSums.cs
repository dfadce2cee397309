using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>The negative logarithms of the sums of exponentials, for the backward pass: collected for several key/value heads, so that the logarithm's table is loaded once for all of their queries.</summary>
internal sealed class AttentionSums
{
    /// <summary>Query tiles collected before they are stored, unless one head has more.</summary>
    private const int WantedTiles = 512;

    private readonly KernelBuilder _kernel;
    private readonly Attention _op;
    private readonly AttentionPlan _plan;
    private readonly MemoryTensor _tensor;
    private readonly int _heads, _group;
    private readonly TileBuffer _sums, _maxima;
    private readonly List<(int Query, long Head)> _collected = [];
    private long _round;

    public AttentionSums(KernelBuilder kernel, Attention op, AttentionPlan plan, MemoryTensor tensor)
    {
        (_kernel, _op, _plan, _tensor, _group) = (kernel, op, plan, tensor, plan.QueryTiles / plan.TilesPerHead);
        _heads = (int)Math.Clamp(WantedTiles / plan.QueryTiles, 1, op.Batch * op.KvHeads);
        int copies = plan.QueryTiles > WantedTiles ? 1 : 2;
        _sums = kernel.Sbuf("sums of heads", (long)_heads * plan.QueryTiles, DataType.Fp32, copies);
        _maxima = kernel.Sbuf("negative maxima of heads", (long)_heads * plan.QueryTiles, DataType.Fp32, copies);
    }

    /// <summary>Copies the sums of a query tile and the negatives of its largest scores; with the last of <paramref name="tiles"/> query tiles of the last head, stores them all.</summary>
    public void Keep(int query, long head, int tiles, in TileView sum, in TileView negativeMaximum)
    {
        _kernel.Copy(StreamId.Vector, Columns(_sums, query, head, 1), sum);
        _kernel.Copy(StreamId.Vector, Columns(_maxima, query, head, 1), negativeMaximum);
        _collected.Add((query, head));
        bool last = head % _heads == _heads - 1 || head == (_op.Batch * _op.KvHeads) - 1;
        if (last && _collected.Count(kept => kept.Head == head) == tiles)
        {
            Store();
            _collected.Clear();
            _round++;
        }
    }

    /// <summary>The heads of a token lie side by side, on chip as in main memory.</summary>
    private void Store()
    {
        List<(TileView Sums, TileView Maxima, MemoryView Target)> parts = [];
        foreach (var tokens in _collected.GroupBy(kept => (kept.Query % _plan.TilesPerHead, _plan.Stacked ? kept.Head : kept.Head / _op.KvHeads)))
        {
            ((int query, long head), int heads) = (tokens.OrderBy(kept => kept.Head).ThenBy(kept => kept.Query).First(), tokens.Count());
            MemoryView target = _plan.QueryRows(_tensor, query, head, 1);
            parts.Add((Columns(_sums, query, head, heads), Columns(_maxima, query, head, heads), _plan.Stacked ? target : target with { Pattern = target.Pattern with { Elements = heads } }));
        }

        foreach ((TileView sums, _, _) in parts)
        {
            _kernel.Activation(ActivationFunction.Log, sums, sums);
        }

        foreach ((TileView sums, TileView maxima, MemoryView target) in parts)
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Subtract, sums, maxima, sums);
            _kernel.Store(StreamId.QueueStores, target, sums);
        }
    }

    private TileView Columns(TileBuffer buffer, int query, long head, int heads)
    {
        int start = (((query % _plan.TilesPerHead * _heads) + (int)(head % _heads)) * _group) + (query / _plan.TilesPerHead);
        return buffer[_round][.._plan.RowsIn(query), start..(start + heads)];
    }
}
