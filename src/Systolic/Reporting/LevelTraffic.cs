using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>Bytes moved at one memory level in one direction.</summary>
/// <param name="Level">The level and, where known, the direction, such as "DRAM read".</param>
/// <param name="Amount">The bytes.</param>
public sealed record LevelTraffic(string Level, Bytes Amount)
{
    private static readonly ImmutableArray<(string Level, ActivityKind Kind)> Levels =
    [
        ("DRAM read", ActivityKind.DramReadByte),
        ("DRAM written", ActivityKind.DramWriteByte),
        ("shared cache read", ActivityKind.SharedCacheReadByte),
        ("shared cache written", ActivityKind.SharedCacheWriteByte),
        ("scratchpad read", ActivityKind.ScratchpadReadByte),
        ("scratchpad written", ActivityKind.ScratchpadWriteByte),
        ("accumulator read", ActivityKind.AccumulatorReadByte),
        ("accumulator written", ActivityKind.AccumulatorWriteByte),
        ("L2", ActivityKind.L2Byte),
        ("shared memory", ActivityKind.SharedMemoryByte),
        ("links", ActivityKind.LinkByte),
    ];

    internal static ImmutableArray<LevelTraffic> Of(ActivityCounts counts) =>
        [.. Levels.Where(level => counts[level.Kind] > 0).Select(level => new LevelTraffic(level.Level, new Bytes(counts[level.Kind])))];
}
