using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Hardware;

namespace Systolic.Kernels;

/// <summary>A tile of up to 512 keys: all prior ones, or none.</summary>
/// <param name="Prior">Its keys are prior ones.</param>
/// <param name="First">Its first key among the prior (or other) keys of the head.</param>
/// <param name="Count">Its keys.</param>
internal readonly record struct KeyTile(bool Prior, int First, int Count);

/// <summary>How keys that a query must not see are hidden.</summary>
internal enum ScoreMask
{
    /// <summary>No key is hidden.</summary>
    None,

    /// <summary>By positions known when the program is written: the general-purpose engine compares them, which reads SBUF only.</summary>
    Position,

    /// <summary>By bounds of each query held in SBUF: the vector engine hides keys while it takes scores from PSUM.</summary>
    Bounds,
}

/// <summary>How prefill attention is cut: groups of 128 queries against tiles of 512 keys, in sections of 8,192 keys when there are more than 10,240.</summary>
/// <remarks>The tiling of the public attention_cte kernel (nki-library 2.29). Tiles that no query of a group sees are left out where positions are known when the program is written.</remarks>
internal sealed class PrefillPlan
{
    /// <summary>Queries of a group.</summary>
    public const int GroupQueries = 128;

    /// <summary>Keys whose values fill the partitions: a product of the second kind.</summary>
    public const int ChunkKeys = 128;

    /// <summary>Keys of a tile: a PSUM bank of scores.</summary>
    public const int TileKeys = 512;

    /// <summary>Tiles whose second products are summed in one PSUM bank.</summary>
    public const int BlockTiles = 4;

    private const int LongestSection = 10 * 1024;
    private const int SectionKeys = 8 * 1024;
    private const int ShortWindow = 128;

    private readonly PrefillAttention _op;
    private readonly bool _skips;

    public PrefillPlan(PrefillAttention op, Accelerator machine)
    {
        _op = op;
        if (op.HeadDim > machine.Sbuf.Partitions || machine.Sbuf.Partitions != GroupQueries)
        {
            throw new CapacityException(FormattableString.Invariant($"{op.Name}: found {op.HeadDim} features on {machine.Sbuf.Partitions} partitions of {machine.Name}, expected at most {GroupQueries} features and {GroupQueries} partitions. Use the flash kernel."));
        }

        if ((op.Window > 0 || op.QueriesAnywhere) && !op.Causal)
        {
            throw new ArgumentException($"{op.Name}: found a window or context parallelism without a causal mask; both need it.", nameof(op));
        }

        _skips = op.Causal && !op.QueriesAnywhere;
        BoundsEverywhere = op.QueriesAnywhere || op.Window is > 0 and <= ShortWindow;
        LoadedKeys = KeysFromAnywhere ? Math.Min(op.Keys, AlignUp(op.Queries + op.Window - 1)) : op.Keys;
        PriorTiles = AlignUp(op.PriorKeys) / TileKeys;
        int keys = (PriorTiles * TileKeys) + LoadedKeys;
        Tiles = CeilingOfTiles(keys);
        SectionTiles = keys > LongestSection ? SectionKeys / TileKeys : Tiles;
        Sections = (Tiles + SectionTiles - 1) / SectionTiles;
        Groups = GroupsOf(op);
        bool fewTiles = op.Window is > 0 and <= ShortWindow && !op.QueriesAnywhere && op.PriorKeys == 0;
        GroupsAhead = fewTiles ? 4 : 2;
        GroupTiles = fewTiles ? Math.Min(SectionTiles, 2 * BlockTiles) : SectionTiles;
    }

    /// <summary>Groups of 128 queries of a head.</summary>
    public int Groups { get; }

    /// <summary>Tiles of prior keys.</summary>
    public int PriorTiles { get; }

    /// <summary>All tiles of a head.</summary>
    public int Tiles { get; }

    /// <summary>Tiles of a section.</summary>
    public int SectionTiles { get; }

    /// <summary>Sections of a head's keys.</summary>
    public int Sections { get; }

    /// <summary>Keys that are loaded beside prior ones: with a window, no more than queries anywhere can see.</summary>
    public int LoadedKeys { get; }

    /// <summary>Which of the keys are loaded is known at run time only.</summary>
    public bool KeysFromAnywhere => _op is { QueriesAnywhere: true, Window: > 0 };

    /// <summary>Keys are hidden by bounds in SBUF in every tile: positions are known at run time only, or a short window cuts most tiles.</summary>
    public bool BoundsEverywhere { get; }

    /// <summary>Groups whose scores are made before the values of a group are weighed: more where each sees a tile or two.</summary>
    public int GroupsAhead { get; }

    /// <summary>Places for the probabilities of a group: one for each tile of a section, or for each of two blocks.</summary>
    public int GroupTiles { get; }

    /// <summary>Groups of a head.</summary>
    public static int GroupsOf(PrefillAttention op) => (op.Queries + GroupQueries - 1) / GroupQueries;

    /// <summary>Queries of a group.</summary>
    public int QueriesIn(int group) => Math.Min(GroupQueries, _op.Queries - (group * GroupQueries));

    /// <summary>The keys of a tile.</summary>
    public KeyTile this[int tile]
    {
        get
        {
            bool prior = tile < PriorTiles;
            int first = (prior ? tile : tile - PriorTiles) * TileKeys;
            return new KeyTile(prior, first, Math.Min(TileKeys, (prior ? _op.PriorKeys : LoadedKeys) - first));
        }
    }

    /// <summary>Tiles of a section.</summary>
    public Range TilesOf(int section) => (section * SectionTiles)..Math.Min(Tiles, (section + 1) * SectionTiles);

    /// <summary>The tiles of a section that a group sees.</summary>
    public ImmutableArray<int> Seen(int group, int section)
    {
        (int first, int count) = TilesOf(section).GetOffsetAndLength(Tiles);
        return [.. Enumerable.Range(first, count).Where(tile => Sees(group, this[tile], 0, TileKeys))];
    }

    /// <summary>In which order the scores of a turn's tiles are made, by their number in it: those to be masked by position and the others in turn, so that the general-purpose engine works on the ones while the others are evicted.</summary>
    public IEnumerable<int> ScoreOrder(PrefillTurn turn)
    {
        ILookup<bool, int> masked = Enumerable.Range(0, turn.Tiles.Length).ToLookup(i => MaskOf(turn.Group, this[turn.Tiles[i]]) == ScoreMask.Position);
        return masked[true].Index().Concat(masked[false].Index()).OrderBy(tile => tile.Index).Select(tile => tile.Item);
    }

    /// <summary>The group works on a section: a window does not matter here.</summary>
    public bool WorksOn(int group, int section) =>
        section < Sections && (!_skips || section * SectionTiles < PriorTiles || this[section * SectionTiles].First <= LastQuery(group));

    /// <summary>A query of the group may see a key among <paramref name="count"/> from <paramref name="start"/> on of a tile.</summary>
    public bool Sees(int group, KeyTile tile, int start, int count)
    {
        int first = tile.First + start;
        bool causal = first <= LastQuery(group), window = _op.Window == 0 || group * GroupQueries < first + count - 1 + _op.Window;
        return start < tile.Count && (!_skips || tile.Prior || (causal && window));
    }

    /// <summary>How a tile that the group sees is masked.</summary>
    public ScoreMask MaskOf(int group, KeyTile tile)
    {
        if (tile.Prior || BoundsEverywhere)
        {
            return ScoreMask.Bounds;
        }

        return _skips && (_op.Window > 0 || group * GroupQueries < tile.First + TileKeys) ? ScoreMask.Position : ScoreMask.None;
    }

    private static int LastQuery(int group) => (group * GroupQueries) + GroupQueries - 1;

    private static int CeilingOfTiles(int keys) => (keys + TileKeys - 1) / TileKeys;

    private static int AlignUp(int keys) => CeilingOfTiles(keys) * TileKeys;
}
