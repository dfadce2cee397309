using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>Flash attention backward as warp programs: a CTA keeps a block of keys and values and goes through the queries.</summary>
/// <remarks>
/// FlashAttention-2: eight warps that meet at barriers around each of five products, P and dS passing through shared memory; dQ is added to L2. FlashAttention-3: a producer warp and two
/// warpgroups of 64 keys each, P and dS of their own keys in registers, dS in shared memory for dQ. Warp layouts recalled from the published sources.
/// </remarks>
internal sealed class AttentionGradientProgram
{
    private const int Warps = 8;
    private const int FullQueries = 1; // barriers; 0 is that of all consumers
    private const int EmptyQueries = 2;
    private const int FullGradients = 3;
    private const int EmptyGradients = 4;
    private const int FullSums = 5;
    private const int EmptySums = 6;
    private readonly Attention _op;
    private readonly AttentionTile _tile;
    private readonly WarpCode _code;
    private readonly int _bytes;
    private readonly int _head;
    private readonly int _value;

    private AttentionGradientProgram(SimtSpec spec, MatrixRate rate, Attention op, AttentionTile tile)
    {
        (_op, _tile, _bytes, _head, _value) = (op, tile, op.Type.ByteSize(), (int)op.HeadDim, (int)op.ValueDim);
        _code = new WarpCode(spec, rate, _bytes);
    }

    /// <summary>The CTA that goes through <paramref name="blocks"/> blocks of queries, the first <paramref name="masked"/> of them on the diagonal.</summary>
    public static CtaProgram Of(SimtSpec spec, MatrixRate rate, Attention op, AttentionTile tile, int blocks, int masked)
    {
        var program = new AttentionGradientProgram(spec, rate, op, tile);
        masked = Math.Min(masked, blocks);
        return AttentionTile.Warpgroups(spec, rate) ? program.Warpgroups(blocks, masked) : program.Synchronous(blocks, masked);
    }

    /// <summary>Scores of a lane.</summary>
    private double Each => (double)_tile.Queries * _tile.Keys / (Warps * 32);

    private CtaProgram Synchronous(int blocks, int masked)
    {
        // Warps along the rows of S and dP, of dK and dV, of dQ; the others lie along the columns.
        (int scores, int keys, int queries) = _head <= 64 ? (4, 4, 4) : _head <= 128 ? (2, 4, 2) : (4, 2, 2);
        WarpSegment Blocks(int count, bool mask)
        {
            _code.AwaitGroups(0);
            _code.Sync();
            _code.Multiply(_tile.Queries / scores, _tile.Keys * scores / Warps, _head);
            _code.Wait(WarpCode.Products);
            Weights(mask);
            _code.Multiply(_tile.Queries / scores, _tile.Keys * scores / Warps, _value);
            _code.Wait(WarpCode.Products);
            Gradients();
            _code.Shared(2 * Each * 32 * _bytes);
            _code.Sync();
            _code.Multiply(_tile.Keys / keys, _value * keys / Warps, _tile.Queries);
            _code.Sync();
            _code.Copy((double)_tile.Queries * _value * _bytes / Warps);
            _code.Multiply(_tile.Queries / queries, _head * queries / Warps, _tile.Keys);
            _code.Wait(WarpCode.Products);
            _code.Reduce((double)_tile.Queries * _head * sizeof(float) / Warps);
            _code.Multiply(_tile.Keys / keys, _head * keys / Warps, _tile.Queries);
            _code.Sync();
            _code.Copy((double)_tile.Queries * _head * _bytes / Warps);
            return _code.Take(count);
        }

        _code.Setup();
        _code.Copy((double)(_tile.Keys + _tile.Queries) * (_head + _value) * _bytes / Warps);
        WarpSegment start = _code.Take();
        var program = new WarpProgram([start, Blocks(masked, true), Blocks(blocks - masked, false), End()]);
        return new CtaProgram([.. Enumerable.Repeat(program, Warps)], [new BarrierSpec(Warps)]);
    }

    /// <summary>P from S and the row statistics of the forward pass; a soft cap is a tangent and three products.</summary>
    private void Weights(bool mask)
    {
        if (_op.SoftCap is not null)
        {
            _code.Run(Pipe.Fp32, 3 * Each);
            _code.Run(Pipe.Special, Each);
        }

        _code.Run(Pipe.Integer, mask ? 2 * Each : 0);
        _code.Run(Pipe.Fp32, Each);
        _code.Run(Pipe.Special, Each);
        _code.Wait(WarpCode.Values);
    }

    /// <summary>dS = P (dP - row sum), and both converted; at one byte with running maxima, scales and a transposed copy.</summary>
    private void Gradients()
    {
        _code.Run(Pipe.Fp32, (_bytes == 1 ? 4 : 2) * Each);
        _code.Run(Pipe.Integer, (_bytes == 1 ? 4.5 : 1) * Each);
    }

    private WarpSegment End()
    {
        _code.StoreResults((double)_tile.Keys * (_head + _value) / Warps, _op.QueryHeads > _op.KvHeads ? sizeof(float) : _bytes);
        return _code.Take();
    }

    private CtaProgram Warpgroups(int blocks, int masked)
    {
        int half = _tile.Keys / 2; // keys of a warpgroup
        WarpSegment Blocks(int count, bool mask)
        {
            _code.Await(FullQueries);
            _code.Queue(_tile.Queries * half / WarpCode.WarpgroupRows, _head);
            _code.Await(FullGradients);
            _code.Queue(_tile.Queries * half / WarpCode.WarpgroupRows, _value);
            _code.AwaitGroups(1);
            _code.Shared(2.0 * _tile.Queries * sizeof(float) * 4, sets: 0); // statistics of the rows, for each of four lanes' columns
            _code.Wait(0);
            Weights(mask);
            _code.AwaitGroups(0);
            Gradients();
            _code.Shared(Each * 32 * _bytes);
            _code.Queue(_value * half / WarpCode.WarpgroupRows, _tile.Queries, rowsInRegisters: true);
            _code.Sync();
            _code.Queue(_tile.Queries * _head / (2 * WarpCode.WarpgroupRows), _tile.Keys);
            _code.Arrive(EmptyGradients, groupsLeft: 1);
            _code.Queue(_head * half / WarpCode.WarpgroupRows, _tile.Queries, rowsInRegisters: true);
            _code.AwaitGroups(1);
            _code.Await(EmptySums);
            _code.Shared((double)_tile.Queries * _head * sizeof(float) / Warps);
            _code.Arrive(FullSums);
            _code.Arrive(EmptyQueries, groupsLeft: 0);
            return _code.Take(count);
        }

        _code.Setup();
        var consumer = new WarpProgram([_code.Take(), Blocks(masked, true), Blocks(blocks - masked, false), End()]);
        _code.Setup();
        _code.TensorCopy((double)_tile.Keys * (_head + _value));
        WarpSegment start = _code.Take();
        _code.TensorCopy((double)_tile.Queries * _head, EmptyQueries, FullQueries);
        _code.TensorCopy((double)_tile.Queries * _value, EmptyGradients, FullGradients);
        var producer = new WarpProgram([start, _code.Take(blocks)]);
        _code.TensorReduce((double)_tile.Queries * _head * sizeof(float), FullSums, EmptySums);
        var stages = new BarrierSpec(Warps, AttentionTile.Stages);
        return new CtaProgram(
            [.. Enumerable.Repeat(consumer, Warps), producer, new WarpProgram([_code.Take(blocks)])],
            [new(Warps), new(1), stages, new(1), stages, new(Warps), new(1, 1)]);
    }
}
