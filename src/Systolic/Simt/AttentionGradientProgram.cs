using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>Flash attention backward as warp programs: a CTA keeps a block of keys and values and goes through the queries.</summary>
/// <remarks>
/// FlashAttention-2: eight warps that meet at barriers around each of five products, P and dS passing through shared memory; dQ is added to L2. FlashAttention-3: a producer warp and two
/// warpgroups of 64 keys each, P and dS of their own keys in registers, dS in shared memory for dQ. Warp layouts recalled from the published sources.
/// </remarks>
internal sealed class AttentionGradientProgram : AttentionCta
{
    private const int Warps = 8;
    private const int FullQueries = 1; // barriers; 0 is that of all consumers
    private const int EmptyQueries = 2;
    private const int FullGradients = 3;
    private const int EmptyGradients = 4;
    private const int FullSums = 5;
    private const int EmptySums = 6;

    public AttentionGradientProgram(SimtSpec spec, MatrixRate rate, Attention op, AttentionTile tile)
        : base(spec, rate, op, tile)
    {
    }

    /// <summary>Scores of a lane.</summary>
    private double Each => (double)Tile.Queries * Tile.Keys / (Warps * 32);

    protected override CtaProgram Synchronous(int blocks, int masked)
    {
        // Warps along the rows of S and dP, of dK and dV, of dQ; the others lie along the columns.
        (int scores, int keys, int queries) = Head <= 64 ? (4, 4, 4) : Head <= 128 ? (2, 4, 2) : (4, 2, 2);
        WarpSegment Blocks(int count, bool mask)
        {
            Code.AwaitGroups(0);
            Code.Sync();
            Code.Multiply(Tile.Queries / scores, Tile.Keys * scores / Warps, Head);
            Code.Wait(WarpCode.Products);
            Weights(mask);
            Code.Multiply(Tile.Queries / scores, Tile.Keys * scores / Warps, Value);
            Code.Wait(WarpCode.Products);
            Gradients();
            Code.Shared(2 * Each * 32 * ElementBytes);
            Code.Sync();
            Code.Multiply(Tile.Keys / keys, Value * keys / Warps, Tile.Queries);
            Code.Sync();
            Code.Copy((double)Tile.Queries * Value * ElementBytes / Warps);
            Code.Multiply(Tile.Queries / queries, Head * queries / Warps, Tile.Keys);
            Code.Wait(WarpCode.Products);
            Code.Reduce((double)Tile.Queries * Head * sizeof(float) / Warps);
            Code.Multiply(Tile.Keys / keys, Head * keys / Warps, Tile.Queries);
            Code.Sync();
            Code.Copy((double)Tile.Queries * Head * ElementBytes / Warps);
            return Code.Take(count);
        }

        Code.Setup();
        Code.Copy((double)(Tile.Keys + Tile.Queries) * (Head + Value) * ElementBytes / Warps);
        WarpSegment start = Code.Take();
        var program = new WarpProgram([start, Blocks(masked, true), Blocks(blocks - masked, false), End()]);
        return new CtaProgram([.. Enumerable.Repeat(program, Warps)], [new BarrierSpec(Warps)]);
    }

    /// <summary>P from S and the row statistics of the forward pass; a soft cap is a tangent and three products.</summary>
    private void Weights(bool mask)
    {
        if (Op.SoftCap is not null)
        {
            Code.Run(Pipe.Fp32, 3 * Each);
            Code.Run(Pipe.Special, Each);
        }

        Code.Run(Pipe.Integer, mask ? 2 * Each : 0);
        Code.Run(Pipe.Fp32, Each);
        Code.Run(Pipe.Special, Each);
        Code.Wait(WarpCode.Values);
    }

    /// <summary>dS = P (dP - row sum), and both converted; at one byte with running maxima, scales and a transposed copy.</summary>
    private void Gradients()
    {
        Code.Run(Pipe.Fp32, (ElementBytes == 1 ? 4 : 2) * Each);
        Code.Run(Pipe.Integer, (ElementBytes == 1 ? 4.5 : 1) * Each);
    }

    private WarpSegment End()
    {
        Code.StoreResults((double)Tile.Keys * (Head + Value) / Warps, Op.QueryHeads > Op.KvHeads ? sizeof(float) : ElementBytes);
        return Code.Take();
    }

    protected override CtaProgram Warpgroups(int blocks, int masked)
    {
        int half = Tile.Keys / 2; // keys of a warpgroup
        WarpSegment Blocks(int count, bool mask)
        {
            Code.Await(FullQueries);
            Code.Queue(Tile.Queries * half / WarpCode.WarpgroupRows, Head);
            Code.Await(FullGradients);
            Code.Queue(Tile.Queries * half / WarpCode.WarpgroupRows, Value);
            Code.AwaitGroups(1);
            Code.Shared(2.0 * Tile.Queries * sizeof(float) * 4, sets: 0); // statistics of the rows, for each of four lanes' columns
            Code.Wait(0);
            Weights(mask);
            Code.AwaitGroups(0);
            Gradients();
            Code.Shared(Each * 32 * ElementBytes);
            Code.Queue(Value * half / WarpCode.WarpgroupRows, Tile.Queries, rowsInRegisters: true);
            Code.Sync();
            Code.Queue(Tile.Queries * Head / (2 * WarpCode.WarpgroupRows), Tile.Keys);
            Code.Arrive(EmptyGradients, groupsLeft: 1);
            Code.Queue(Head * half / WarpCode.WarpgroupRows, Tile.Queries, rowsInRegisters: true);
            Code.AwaitGroups(1);
            Code.Await(EmptySums);
            Code.Shared((double)Tile.Queries * Head * sizeof(float) / Warps);
            Code.Arrive(FullSums);
            Code.Arrive(EmptyQueries, groupsLeft: 0);
            return Code.Take(count);
        }

        Code.Setup();
        var consumer = new WarpProgram([Code.Take(), Blocks(masked, true), Blocks(blocks - masked, false), End()]);
        Code.Setup();
        Code.TensorCopy((double)Tile.Keys * (Head + Value));
        WarpSegment start = Code.Take();
        Code.TensorCopy((double)Tile.Queries * Head, EmptyQueries, FullQueries);
        Code.TensorCopy((double)Tile.Queries * Value, EmptyGradients, FullGradients);
        var producer = new WarpProgram([start, Code.Take(blocks)]);
        Code.TensorReduce((double)Tile.Queries * Head * sizeof(float), FullSums, EmptySums);
        var stages = new BarrierSpec(Warps, AttentionTile.Stages);
        return new CtaProgram(
            [.. Enumerable.Repeat(consumer, Warps), producer, new WarpProgram([Code.Take(blocks)])],
            [new(Warps), new(1), stages, new(1), stages, new(Warps), new(1, 1)]);
    }
}
