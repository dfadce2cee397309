using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Where in a tile a view lies: consecutive partitions, and in each of them the elements from its first to its last.</summary>
/// <remarks>A view with gaps is ordered by all that it reaches over, so two interleaved views wait for each other: more than they need, never less.</remarks>
/// <param name="Partition">First partition.</param>
/// <param name="EndPartition">The partition behind the last one.</param>
/// <param name="First">First element.</param>
/// <param name="End">The element behind the last one.</param>
/// <param name="Pattern">The view's own pattern where it has gaps; the default where it holds every element of the region.</param>
internal readonly record struct Region(int Partition, int EndPartition, int First, int End, FreePattern Pattern)
{
    /// <summary>All of any tile.</summary>
    public static Region Whole { get; } = new(0, int.MaxValue, 0, int.MaxValue, default);

    /// <summary>The region that a view is ordered by.</summary>
    public static Region Of(in TileView view)
    {
        if (view.IsWhole)
        {
            return Whole;
        }

        FreePattern free = view.Free;
        return new Region(view.StartPartition, view.StartPartition + view.Partitions, view.Offset + free.Lowest, view.Offset + free.Highest + 1, HasGaps(free) ? free : default);
    }

    /// <summary>They share an element, or one lies in a gap of the other.</summary>
    public bool Overlaps(in Region other) => Partition < other.EndPartition && other.Partition < EndPartition && First < other.End && other.First < End;

    /// <summary>Every element of the other one is in this one.</summary>
    public bool Covers(in Region other) =>
        Partition <= other.Partition && EndPartition >= other.EndPartition && First <= other.First && End >= other.End
        && (Pattern == default || (First == other.First && Pattern == other.Pattern));

    /// <summary>The least consecutive partitions and elements that hold both.</summary>
    public Region With(in Region other) =>
        new(Math.Min(Partition, other.Partition), Math.Max(EndPartition, other.EndPartition), Math.Min(First, other.First), Math.Max(End, other.End), default);

    /// <summary>From the smallest stride on, some loop steps over elements.</summary>
    private static bool HasGaps(in FreePattern free)
    {
        Span<(int Stride, int Count)> loops = [Loop(free.Inner, free.InnerStride), Loop(free.Middle, free.MiddleStride), Loop(free.Outer, free.OuterStride)];
        loops.Sort();
        int run = 1;
        foreach ((int stride, int count) in loops)
        {
            if (stride > run)
            {
                return true;
            }

            run += stride * (count - 1);
        }

        return false;
    }

    private static (int Stride, int Count) Loop(int count, int stride) => count == 1 ? (0, 1) : (Math.Abs(stride), count);
}
