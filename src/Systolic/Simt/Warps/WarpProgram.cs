using System.Collections.Immutable;

namespace Systolic.Simt;

/// <summary>Instructions that a warp issues in order, so many times over.</summary>
internal sealed record WarpSegment(WarpInstruction[] Body, int Count = 1);

/// <summary>What one warp does: segments in order, the last ones repeated for every tile of a persistent kernel.</summary>
internal sealed class WarpProgram
{
    /// <summary>Builds a program; segments without instructions or of count 0 fall away.</summary>
    /// <param name="segments">Prologue, loops, epilogue.</param>
    /// <param name="repeatFrom">The segment, counted in <paramref name="segments"/>, at which each further repeat begins.</param>
    /// <param name="repeats">How often the segments from there to the end are done.</param>
    public WarpProgram(IReadOnlyList<WarpSegment> segments, int repeatFrom = 0, int repeats = 1)
    {
        Segments = [.. segments.Where(Counts)];
        RepeatFrom = segments.Take(repeatFrom).Count(Counts);
        Repeats = repeats;
        if (RepeatFrom >= Segments.Length || repeats < 1)
        {
            throw new ArgumentException("A warp program needs instructions, and in the part that it repeats too.", nameof(segments));
        }
    }

    /// <summary>Prologue, loops, epilogue: none of them empty.</summary>
    public WarpSegment[] Segments { get; }

    /// <summary>Where each further repeat begins.</summary>
    public int RepeatFrom { get; }

    /// <summary>How often the segments from there on are done.</summary>
    public int Repeats { get; }

    /// <summary>Instructions that the warp issues in all.</summary>
    public long Issues => Segments.Select((segment, i) => (long)segment.Body.Length * segment.Count * (i < RepeatFrom ? 1 : Repeats)).Sum();

    /// <summary>Whether any of its instructions arrives at, or waits for, a barrier.</summary>
    public bool Uses(int barrier, bool waits) => Array.Exists(
        Segments, segment => Array.Exists(segment.Body, one => one.Use != BarrierUse.None && one.Barrier == barrier && one.Use == BarrierUse.Wait == waits));

    private static bool Counts(WarpSegment segment) => segment is { Count: > 0, Body.Length: > 0 };
}

/// <summary>A barrier in shared memory that counts arrivals, phase by phase. A warp's first arrival is at the first phase, its second at the second.</summary>
/// <param name="Arrivals">Warps whose arrivals complete a phase.</param>
/// <param name="Credit">Waits of each warp that pass at once: the stages that are empty at the start. A ring of so many mbarriers, used in turn, is one such barrier.</param>
internal readonly record struct BarrierSpec(int Arrivals, int Credit = 0);

/// <summary>One thread block: its warps, its barriers and what it holds.</summary>
/// <param name="Warps">One program per warp; roles share theirs.</param>
/// <param name="Barriers">Barriers, at most <see cref="MaximumBarriers"/>.</param>
/// <param name="Registers">Registers per thread.</param>
/// <param name="SharedBytes">Bytes of shared memory.</param>
internal sealed record CtaProgram(ImmutableArray<WarpProgram> Warps, ImmutableArray<BarrierSpec> Barriers, int Registers = 0, long SharedBytes = 0)
{
    /// <summary>The most barriers of a CTA.</summary>
    public const int MaximumBarriers = 8;

    /// <summary>A quantity of instructions, summed over all that all warps execute.</summary>
    public long Sum(Func<WarpInstruction, long> quantity) => Warps.Sum(warp => warp.Segments.Select((segment, i) =>
        (i < warp.RepeatFrom ? 1L : warp.Repeats) * segment.Count * segment.Body.Sum(quantity)).Sum());
}
