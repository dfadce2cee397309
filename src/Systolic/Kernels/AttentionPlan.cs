using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>How one attention operator is cut for a core: query tiles of up to 128 rows, key tiles of 512, sections of four key tiles.</summary>
internal sealed class AttentionPlan
{
    /// <summary>Keys per score tile: a PSUM bank of fp32 scores.</summary>
    public const int TileKeys = 512;

    /// <summary>Key tiles between two updates of the running maximum and sum.</summary>
    public const int SectionTiles = 4;

    /// <summary>Query tiles that share one pass over keys and values when these do not stay in SBUF.</summary>
    private const int StreamedGroup = 8;

    private readonly Attention _op;

    public AttentionPlan(Attention op, Accelerator machine)
    {
        _op = op;
        Partitions = machine.Sbuf.Partitions;
        ElementSize = op.Type.ByteSize();
        RequireTransposesFit(op, machine);
        GroupHeads = MatMulPlan.Ceiling(op.QueryHeads, op.KvHeads);
        Stacked = op.QueryTokens * GroupHeads <= Partitions && op.QueryTokens < op.KvTokens && op.Window is null;
        HeadSlices = (int)MatMulPlan.Ceiling(op.HeadDim, Partitions);
        KeyTiles = (int)MatMulPlan.Ceiling(op.KvTokens, TileKeys);
        TilesPerHead = Stacked ? 1 : (int)MatMulPlan.Ceiling(op.QueryTokens, Partitions);
        QueryTiles = Stacked ? 1 : checked((int)(TilesPerHead * GroupHeads));
        long capacity = machine.Sbuf.PartitionSize.Value / 2 / (KeyTileBytes + ValueTileBytes);
        Resident = KeyTiles + (2 * SectionTiles) <= capacity;
        KeyValueCopies = (int)(Resident ? Math.Min(capacity, Math.Max(2L * KeyTiles, KeyTiles + (2L * SectionTiles))) : Math.Max(4 * SectionTiles, capacity));
        QueryGroup = Resident ? 1 : Math.Min(StreamedGroup, QueryTiles);
    }

    public int Partitions { get; }

    public int ElementSize { get; }

    /// <summary>Query heads that share one key/value head.</summary>
    public long GroupHeads { get; }

    /// <summary>Decode: all query heads of a key/value head fit one tile of rows.</summary>
    public bool Stacked { get; }

    /// <summary>Slices of 128 of the head dimension.</summary>
    public int HeadSlices { get; }

    public int KeyTiles { get; }

    /// <summary>Query tiles of one query head.</summary>
    public int TilesPerHead { get; }

    /// <summary>Query tiles of one key/value head.</summary>
    public int QueryTiles { get; }

    /// <summary>Keys and values of one head stay in SBUF for all its query tiles.</summary>
    public bool Resident { get; }

    /// <summary>Key (and value) tiles that SBUF holds.</summary>
    public int KeyValueCopies { get; }

    /// <summary>Query tiles that go through a section of keys together.</summary>
    public int QueryGroup { get; }

    /// <summary>Chunks of a key tile, as many rows each as the array has: four of 128. The last may be cut short.</summary>
    public static int KeyChunks(int partitions) => (int)MatMulPlan.Ceiling(TileKeys, partitions);

    /// <summary>Bytes per partition of 512 transposed keys, in whole chunks.</summary>
    public long KeyTileBytes => (long)KeyChunks(Partitions) * Partitions * HeadSlices * ElementSize;

    /// <summary>Bytes per partition of 512 values, in whole chunks.</summary>
    public long ValueTileBytes => KeyChunks(Partitions) * _op.ValueDim * ElementSize;

    /// <summary>Groups of query tiles of one key/value head.</summary>
    public int QueryGroups => (int)MatMulPlan.Ceiling(QueryTiles, QueryGroup);

    public int Sections => (int)MatMulPlan.Ceiling(KeyTiles, SectionTiles);

    /// <summary>Where the array transposes, the chunks of a key tile lie side by side in one PSUM bank.</summary>
    private void RequireTransposesFit(Attention op, Accelerator machine)
    {
        bool byDma = machine.Dma.LocalTransposeShare > 0 && machine.Dma.MemoryTransposeShare > 0;
        long needed = (long)KeyChunks(Partitions) * Partitions * ElementSize;
        if (!byDma && needed > machine.Psum.BankSize.Value)
        {
            throw new CapacityException(FormattableString.Invariant(
                $"{op.Name}: the transpose of {TileKeys} {op.Type.Label()} keys in chunks of {Partitions} needs {needed} B of a PSUM bank of {machine.Name}, found {machine.Psum.BankSize.Value} B. Use larger banks, a narrower type, or an array whose rows divide {TileKeys}."));
        }
    }

    /// <summary>Features in slice <paramref name="slice"/> of the head dimension.</summary>
    public int SliceDepth(int slice) => (int)Math.Min(Partitions, _op.HeadDim - ((long)slice * Partitions));

    /// <summary>Keys in key tile <paramref name="tile"/>.</summary>
    public int KeysIn(int tile) => (int)Math.Min(TileKeys, _op.KvTokens - ((long)tile * TileKeys));

    /// <summary>Rows of query tile <paramref name="tile"/>.</summary>
    public int RowsIn(int tile) => (int)(Stacked ? _op.QueryTokens * GroupHeads : Math.Min(Partitions, _op.QueryTokens - ((long)(tile % TilesPerHead) * Partitions)));

    /// <summary>Key tiles that query tile <paramref name="tile"/> sees; a causal mask hides the later ones.</summary>
    public int VisibleTiles(int tile) => _op.Causal && !Stacked ? (int)MatMulPlan.Ceiling(LastPosition(tile) + 1, TileKeys) : KeyTiles;

    /// <summary>The first key tile that query tile <paramref name="tile"/> sees; a window hides the earlier ones.</summary>
    public int FirstTile(int tile) => (int)(WindowStart(FirstPosition(tile)) / TileKeys);

    /// <summary>The window ends within key tile <paramref name="key"/> for some row of query tile <paramref name="tile"/>.</summary>
    public bool CutByWindow(int tile, int key) => (long)key * TileKeys < WindowStart(LastPosition(tile));

    /// <summary>The first key that the token at <paramref name="position"/> sees.</summary>
    public long WindowStart(long position) => _op.Window is { } window ? Math.Max(0, position - window + 1) : 0;

    /// <summary>A causal mask cuts through key tile <paramref name="key"/> of query tile <paramref name="tile"/>.</summary>
    public bool Masked(int tile, int key) => _op.Causal && (((long)key * TileKeys) + KeysIn(key) - 1) > FirstPosition(tile);

    /// <summary>Where a row of query tile <paramref name="tile"/> sees a key of key tile <paramref name="key"/>: its position is not before the key's.</summary>
    /// <remarks>Stacked rows hold the heads of a token one after the other: row p is of token p div G, which is at least c exactly if p - G c >= 0.</remarks>
    public AffineCondition Visible(int tile, int key) => VisibleFrom(tile, (long)key * TileKeys);

    /// <summary>As <see cref="Visible"/>, of the keys from <paramref name="first"/> on.</summary>
    public AffineCondition VisibleFrom(int tile, long first)
    {
        int ahead = (int)(FirstPosition(tile) - first), group = Stacked ? (int)GroupHeads : 1;
        return new AffineCondition(group * ahead, 1, -group);
    }

    /// <summary>Where a row of query tile <paramref name="tile"/> has the key <paramref name="key"/>, and those behind it, in its window: key + window - 1 is not before the row's position.</summary>
    public AffineCondition InWindow(int tile, long key) => new((int)(key + _op.Window!.Value - 1 - FirstPosition(tile)), -1, 1);

    /// <summary>Where the rows of a query tile lie in a tensor of <paramref name="width"/> columns a head: tokens of one head, or all heads of a token and then those of the next.</summary>
    public MemoryView QueryRows(MemoryTensor tensor, int tile, long head, long width)
    {
        (long batch, long kvHead) = Math.DivRem(head, _op.KvHeads);
        long first = kvHead * GroupHeads * width;
        return Stacked
            ? new MemoryView(tensor, (batch * _op.QueryTokens * tensor.Columns) + first, new MemoryPattern((int)_op.QueryTokens, tensor.Columns, (int)GroupHeads, width, 1, 0, (int)width))
            : tensor.Part((batch * _op.QueryTokens) + ((long)(tile % TilesPerHead) * Partitions), RowsIn(tile), first + (tile / TilesPerHead * width), width);
    }

    /// <summary>Tokens by row in a tile: token t at partition t mod P, behind t div P others.</summary>
    public TileView ByRow(Tile tile, int tokens, long features) =>
        tile[..Math.Min(tokens, Partitions), ..(int)(MatMulPlan.Ceiling(tokens, Partitions) * features)];

    public long FirstPosition(int tile) => _op.KvTokens - _op.QueryTokens + ((long)(tile % TilesPerHead) * Partitions);

    public long LastPosition(int tile) => FirstPosition(tile) + RowsIn(tile) - 1;
}
