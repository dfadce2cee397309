using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>Flash attention forward as warp programs.</summary>
/// <remarks>
/// Tensor cores that read registers: FlashAttention-2 (Dao, arXiv 2307.08691), keys and values in one stage each, fetched while the other one is multiplied.
/// Tensor cores that read shared memory: FlashAttention-3 (Shah et al., arXiv 2407.08608), a producer warp and warpgroups that take turns at the tensor cores, the next scores queued before the softmax of these.
/// </remarks>
internal sealed class AttentionProgram : AttentionCta
{
    private const int FullKeys = 1; // barriers; 0 is that of the whole CTA
    private const int EmptyKeys = 2;
    private const int FullValues = 3;
    private const int EmptyValues = 4;
    private const int Turns = 5;
    private readonly int _rows;

    public AttentionProgram(SimtSpec spec, MatrixRate rate, Attention op, AttentionTile tile)
        : base(spec, rate, op, tile) => _rows = AttentionTile.Warpgroups(spec, rate) ? WarpCode.WarpgroupRows / WarpCode.WarpgroupWarps : tile.WarpRows;

    protected override CtaProgram Synchronous(int blocks, int masked)
    {
        int warps = Tile.Queries / Tile.WarpRows;
        double keys = (double)Tile.Keys * Head * ElementBytes / warps, values = (double)Tile.Keys * Value * ElementBytes / warps;
        WarpSegment Blocks(int count, bool mask)
        {
            Code.AwaitGroups(0);
            Code.Sync();
            Code.Copy(values);
            Code.Multiply(_rows, Tile.Keys, Head);
            Code.AwaitGroups(0);
            Code.Sync();
            Code.Copy(keys);
            Code.Wait(WarpCode.Products);
            Maximum(mask);
            Rescale();
            Exponentials();
            Convert();
            Code.Multiply(_rows, Value, Tile.Keys, rowsInRegisters: true);
            return Code.Take(count);
        }

        Code.Setup();
        Code.Copy(((double)Tile.Queries * Head * ElementBytes / warps) + keys);
        WarpSegment start = Code.Take();
        var program = new WarpProgram([start, Blocks(masked, true), Blocks(blocks - masked, false), End()]);
        return new CtaProgram([.. Enumerable.Repeat(program, warps)], [new BarrierSpec(warps)]);
    }

    private WarpSegment End()
    {
        Code.StoreResults((double)_rows * Value, ElementBytes);
        return Code.Take();
    }

    /// <summary>Scores of a lane.</summary>
    private double Each => (double)_rows * Tile.Keys / 32;

    /// <summary>The maximum of each row, agreed on by the four lanes that hold it; before, a soft cap is a tangent and a product, a mask a comparison and a selection.</summary>
    private void Maximum(bool mask)
    {
        if (Op.SoftCap is not null)
        {
            Code.Run(Pipe.Fp32, Each);
            Code.Run(Pipe.Special, Each);
            Code.Wait(WarpCode.Values);
        }

        Code.Run(Pipe.Integer, mask ? 3 * Each : Each);
        for (int step = 0; step < 2; step++)
        {
            Code.Shared(_rows / 8 * 128, sets: WarpCode.Values, waits: 1 << WarpCode.Values);
        }

        Code.Wait(WarpCode.Values);
    }

    /// <summary>A fused multiply-add and an exponential per score, then the sums.</summary>
    private void Exponentials()
    {
        const int Piece = 8;
        for (double done = 0; done < Each; done += Piece)
        {
            double piece = Math.Min(Piece, Each - done);
            Code.Run(Pipe.Fp32, piece);
            Code.Run(Pipe.Special, piece);
        }

        Code.Run(Pipe.Fp32, Each, waits: 1 << WarpCode.Values);
    }

    /// <summary>Two results per instruction; at one byte, with the shuffle that follows, three quarters per score.</summary>
    private void Convert() => Code.Run(Pipe.Integer, Each * (ElementBytes == 1 ? 0.75 : 0.5));

    /// <summary>The output so far, for the maximum that has grown.</summary>
    private void Rescale() => Code.Run(Pipe.Fp32, (double)_rows * Value / 32);

    protected override CtaProgram Warpgroups(int blocks, int masked)
    {
        int groups = Tile.Queries / WarpCode.WarpgroupRows, warps = groups * WarpCode.WarpgroupWarps;
        WarpProgram[] consumers = [.. Enumerable.Range(0, groups).Select(group => Tile.Ahead ? Ahead(group, groups, blocks, masked) : InTurn(blocks, masked))];
        var stages = new BarrierSpec(warps, AttentionTile.Stages);
        return new CtaProgram(
            [.. consumers.SelectMany(consumer => Enumerable.Repeat(consumer, WarpCode.WarpgroupWarps)), Producer(blocks)],
            [new(warps), new(1), stages, new(1), stages, .. Enumerable.Range(0, groups).Select(group => new BarrierSpec(WarpCode.WarpgroupWarps, group == 0 ? 1 : 0))]);
    }

    /// <summary>Queries, then keys and values block by block as stages are freed.</summary>
    private WarpProgram Producer(int blocks)
    {
        Code.Setup();
        Code.TensorCopy((double)Tile.Queries * Head);
        WarpSegment start = Code.Take();
        Code.TensorCopy((double)Tile.Keys * Head, EmptyKeys, FullKeys);
        Code.TensorCopy((double)Tile.Keys * Value, EmptyValues, FullValues);
        return new WarpProgram([start, Code.Take(blocks)]);
    }

    /// <summary>Scores of a block are queued before the weights of the block before meet its values; softmax runs under both, and in turns with the other warpgroups'.</summary>
    private WarpProgram Ahead(int group, int groups, int blocks, int masked)
    {
        WarpSegment Blocks(int count, bool mask, bool first = false)
        {
            Code.Await(FullKeys);
            Code.Await(Turns + group);
            Code.Queue(Tile.Keys, Head);
            if (!first)
            {
                Code.Await(FullValues);
                Code.Queue(Value, Tile.Keys, rowsInRegisters: true);
            }

            Code.Arrive(Turns + ((group + 1) % groups));
            Code.Arrive(EmptyKeys, groupsLeft: first ? 0 : 1);
            Maximum(mask);
            Exponentials();
            if (!first)
            {
                Code.Arrive(EmptyValues, groupsLeft: 0);
                Rescale();
            }

            Convert();
            return Code.Take(count);
        }

        Code.Setup();
        WarpSegment start = Code.Take(), first = Blocks(1, masked > 0, first: true);
        WarpSegment diagonal = Blocks(Math.Max(0, masked - 1), mask: true), rest = Blocks(blocks - Math.Max(1, masked), mask: false);
        Code.Await(FullValues);
        Code.Queue(Value, Tile.Keys, rowsInRegisters: true);
        Code.Arrive(EmptyValues, groupsLeft: 0);
        return new WarpProgram([start, first, diagonal, rest, Code.Take(), End()]);
    }

    /// <summary>Scores, softmax, values, one after the other.</summary>
    private WarpProgram InTurn(int blocks, int masked)
    {
        WarpSegment Blocks(int count, bool mask)
        {
            Code.Await(FullKeys);
            Code.Queue(Tile.Keys, Head);
            Code.Arrive(EmptyKeys, groupsLeft: 0);
            Maximum(mask);
            Rescale();
            Exponentials();
            Convert();
            Code.Await(FullValues);
            Code.Queue(Value, Tile.Keys, rowsInRegisters: true);
            Code.Arrive(EmptyValues, groupsLeft: 0);
            return Code.Take(count);
        }

        Code.Setup();
        return new WarpProgram([Code.Take(), Blocks(masked, true), Blocks(blocks - masked, false), End()]);
    }
}
