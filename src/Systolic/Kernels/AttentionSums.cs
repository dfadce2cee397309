using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>The negative logarithms of the sums of exponentials, for the backward pass: collected for a key/value head, so that the logarithm's table is loaded once for all of its queries.</summary>
internal sealed class AttentionSums
{
    /// <summary>Query tiles of a head up to which the next head's sums find a buffer of their own.</summary>
    private const int TilesInTwoBuffers = 1024;

    private readonly KernelBuilder _kernel;
    private readonly AttentionPlan _plan;
    private readonly MemoryTensor _tensor;
    private readonly TileBuffer _sums, _maxima;
    private readonly List<int> _collected = [];
    private long _round;

    public AttentionSums(KernelBuilder kernel, AttentionPlan plan, MemoryTensor tensor)
    {
        (_kernel, _plan, _tensor) = (kernel, plan, tensor);
        int copies = plan.QueryTiles > TilesInTwoBuffers ? 1 : 2;
        _sums = kernel.Sbuf("sums of a head", plan.QueryTiles, DataType.Fp32, copies);
        _maxima = kernel.Sbuf("negative maxima of a head", plan.QueryTiles, DataType.Fp32, copies);
    }

    /// <summary>Copies the sums of a query tile and the negatives of its largest scores; with the last of <paramref name="tiles"/> query tiles of the head, stores them all.</summary>
    public void Keep(int query, long head, int tiles, in TileView sum, in TileView negativeMaximum)
    {
        _kernel.Copy(StreamId.Vector, Column(_sums, query), sum);
        _kernel.Copy(StreamId.Vector, Column(_maxima, query), negativeMaximum);
        _collected.Add(query);
        if (_collected.Count == tiles)
        {
            Store(head);
            _collected.Clear();
            _round++;
        }
    }

    /// <summary>The heads of a token lie side by side, on chip as in main memory.</summary>
    private void Store(long head)
    {
        List<(TileView Sums, TileView Maxima, MemoryView Target)> parts = [];
        foreach (IGrouping<int, int> tokens in _collected.GroupBy(query => query % _plan.TilesPerHead))
        {
            (int first, int heads) = (tokens.Min(), tokens.Count());
            MemoryView target = _plan.QueryRows(_tensor, first, head, 1);
            parts.Add((Columns(_sums, first, heads), Columns(_maxima, first, heads), _plan.Stacked ? target : target with { Pattern = target.Pattern with { Elements = heads } }));
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

    private TileView Column(TileBuffer buffer, int query) => Columns(buffer, query, 1);

    private TileView Columns(TileBuffer buffer, int query, int heads)
    {
        int start = (query % _plan.TilesPerHead * (_plan.QueryTiles / _plan.TilesPerHead)) + (query / _plan.TilesPerHead);
        return buffer[_round][.._plan.RowsIn(query), start..(start + heads)];
    }
}
