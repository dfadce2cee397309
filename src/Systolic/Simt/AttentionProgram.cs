using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>Flash attention forward as warp programs.</summary>
/// <remarks>
/// Tensor cores that read registers: FlashAttention-2 (Dao, arXiv 2307.08691), keys and values in one stage each, fetched while the other one is multiplied.
/// Tensor cores that read shared memory: FlashAttention-3 (Shah et al., arXiv 2407.08608), a producer warp and warpgroups that take turns at the tensor cores, the next scores queued before the softmax of these.
/// </remarks>
internal sealed class AttentionProgram
{
    private const int FullKeys = 1; // barriers; 0 is that of the whole CTA
    private const int EmptyKeys = 2;
    private const int FullValues = 3;
    private const int EmptyValues = 4;
    private const int Turns = 5;
    private readonly Attention _op;
    private readonly AttentionTile _tile;
    private readonly WarpCode _code;
    private readonly int _bytes;
    private readonly int _head;
    private readonly int _value;
    private readonly int _rows;

    private AttentionProgram(SimtSpec spec, MatrixRate rate, Attention op, AttentionTile tile)
    {
        (_op, _tile, _bytes, _head, _value) = (op, tile, op.Type.ByteSize(), (int)op.HeadDim, (int)op.ValueDim);
        _rows = AttentionTile.Warpgroups(spec, rate) ? WarpCode.WarpgroupRows / WarpCode.WarpgroupWarps : tile.WarpRows;
        _code = new WarpCode(spec, rate, _bytes);
    }

    /// <summary>The CTA that goes through <paramref name="blocks"/> blocks of keys, the first <paramref name="masked"/> of them on the diagonal.</summary>
    public static CtaProgram Of(SimtSpec spec, MatrixRate rate, Attention op, AttentionTile tile, int blocks, int masked)
    {
        var program = new AttentionProgram(spec, rate, op, tile);
        masked = Math.Min(masked, blocks);
        return AttentionTile.Warpgroups(spec, rate) ? program.Warpgroups(blocks, masked) : program.Synchronous(blocks, masked);
    }

    private CtaProgram Synchronous(int blocks, int masked)
    {
        int warps = _tile.Queries / _tile.WarpRows;
        double keys = (double)_tile.Keys * _head * _bytes / warps, values = (double)_tile.Keys * _value * _bytes / warps;
        WarpSegment Blocks(int count, bool mask)
        {
            _code.AwaitGroups(0);
            _code.Sync();
            _code.Copy(values);
            _code.Multiply(_rows, _tile.Keys, _head);
            _code.AwaitGroups(0);
            _code.Sync();
            _code.Copy(keys);
            _code.Wait(WarpCode.Products);
            Maximum(mask);
            Rescale();
            Exponentials();
            Convert();
            _code.Multiply(_rows, _value, _tile.Keys, rowsInRegisters: true);
            return _code.Take(count);
        }

        _code.Setup();
        _code.Copy(((double)_tile.Queries * _head * _bytes / warps) + keys);
        WarpSegment start = _code.Take();
        var program = new WarpProgram([start, Blocks(masked, true), Blocks(blocks - masked, false), End()]);
        return new CtaProgram([.. Enumerable.Repeat(program, warps)], [new BarrierSpec(warps)]);
    }

    private WarpSegment End()
    {
        _code.StoreResults((double)_rows * _value, _bytes);
        return _code.Take();
    }

    /// <summary>Scores of a lane.</summary>
    private double Each => (double)_rows * _tile.Keys / 32;

    /// <summary>The maximum of each row, agreed on by the four lanes that hold it; before, a soft cap is a tangent and a product, a mask a comparison and a selection.</summary>
    private void Maximum(bool mask)
    {
        if (_op.SoftCap is not null)
        {
            _code.Run(Pipe.Fp32, Each);
            _code.Run(Pipe.Special, Each);
            _code.Wait(WarpCode.Values);
        }

        _code.Run(Pipe.Integer, mask ? 3 * Each : Each);
        for (int step = 0; step < 2; step++)
        {
            _code.Shared(_rows / 8 * 128, sets: WarpCode.Values, waits: 1 << WarpCode.Values);
        }

        _code.Wait(WarpCode.Values);
    }

    /// <summary>A fused multiply-add and an exponential per score, then the sums.</summary>
    private void Exponentials()
    {
        const int Piece = 8;
        for (double done = 0; done < Each; done += Piece)
        {
            double piece = Math.Min(Piece, Each - done);
            _code.Run(Pipe.Fp32, piece);
            _code.Run(Pipe.Special, piece);
        }

        _code.Run(Pipe.Fp32, Each, waits: 1 << WarpCode.Values);
    }

    /// <summary>Two results per instruction; at one byte, with the shuffle that follows, three quarters per score.</summary>
    private void Convert() => _code.Run(Pipe.Integer, Each * (_bytes == 1 ? 0.75 : 0.5));

    /// <summary>The output so far, for the maximum that has grown.</summary>
    private void Rescale() => _code.Run(Pipe.Fp32, (double)_rows * _value / 32);

    private CtaProgram Warpgroups(int blocks, int masked)
    {
        int groups = _tile.Queries / WarpCode.WarpgroupRows, warps = groups * WarpCode.WarpgroupWarps;
        WarpProgram[] consumers = [.. Enumerable.Range(0, groups).Select(group => _tile.Ahead ? Ahead(group, groups, blocks, masked) : InTurn(blocks, masked))];
        var stages = new BarrierSpec(warps, AttentionTile.Stages);
        return new CtaProgram(
            [.. consumers.SelectMany(consumer => Enumerable.Repeat(consumer, WarpCode.WarpgroupWarps)), Producer(blocks)],
            [new(warps), new(1), stages, new(1), stages, .. Enumerable.Range(0, groups).Select(group => new BarrierSpec(WarpCode.WarpgroupWarps, group == 0 ? 1 : 0))]);
    }

    /// <summary>Queries, then keys and values block by block as stages are freed.</summary>
    private WarpProgram Producer(int blocks)
    {
        _code.Setup();
        _code.TensorCopy((double)_tile.Queries * _head);
        WarpSegment start = _code.Take();
        _code.TensorCopy((double)_tile.Keys * _head, EmptyKeys, FullKeys);
        _code.TensorCopy((double)_tile.Keys * _value, EmptyValues, FullValues);
        return new WarpProgram([start, _code.Take(blocks)]);
    }

    /// <summary>Scores of a block are queued before the weights of the block before meet its values; softmax runs under both, and in turns with the other warpgroups'.</summary>
    private WarpProgram Ahead(int group, int groups, int blocks, int masked)
    {
        WarpSegment Blocks(int count, bool mask, bool first = false)
        {
            _code.Await(FullKeys);
            _code.Await(Turns + group);
            _code.Queue(_tile.Keys, _head);
            if (!first)
            {
                _code.Await(FullValues);
                _code.Queue(_value, _tile.Keys, rowsInRegisters: true);
            }

            _code.Arrive(Turns + ((group + 1) % groups));
            _code.Arrive(EmptyKeys, groupsLeft: first ? 0 : 1);
            Maximum(mask);
            Exponentials();
            if (!first)
            {
                _code.Arrive(EmptyValues, groupsLeft: 0);
                Rescale();
            }

            Convert();
            return _code.Take(count);
        }

        _code.Setup();
        WarpSegment start = _code.Take(), first = Blocks(1, masked > 0, first: true);
        WarpSegment diagonal = Blocks(Math.Max(0, masked - 1), mask: true), rest = Blocks(blocks - Math.Max(1, masked), mask: false);
        _code.Await(FullValues);
        _code.Queue(_value, _tile.Keys, rowsInRegisters: true);
        _code.Arrive(EmptyValues, groupsLeft: 0);
        return new WarpProgram([start, first, diagonal, rest, _code.Take(), End()]);
    }

    /// <summary>Scores, softmax, values, one after the other.</summary>
    private WarpProgram InTurn(int blocks, int masked)
    {
        WarpSegment Blocks(int count, bool mask)
        {
            _code.Await(FullKeys);
            _code.Queue(_tile.Keys, _head);
            _code.Arrive(EmptyKeys, groupsLeft: 0);
            Maximum(mask);
            Rescale();
            Exponentials();
            Convert();
            _code.Await(FullValues);
            _code.Queue(_value, _tile.Keys, rowsInRegisters: true);
            _code.Arrive(EmptyValues, groupsLeft: 0);
            return _code.Take(count);
        }

        _code.Setup();
        return new WarpProgram([_code.Take(), Blocks(masked, true), Blocks(blocks - masked, false), End()]);
    }
}
