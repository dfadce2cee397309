using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Where in a tile a view lies: consecutive partitions, and in each of them runs of elements that begin every <paramref name="Step"/> elements.</summary>
/// <remarks>Of a pattern with gaps of two sizes the step is their greatest common divisor: the region then holds more than the view, so that it may be found to overlap what the view does not, never the other way round.</remarks>
/// <param name="Partition">First partition.</param>
/// <param name="EndPartition">The partition behind the last one.</param>
/// <param name="First">First element.</param>
/// <param name="End">The element behind the last one.</param>
/// <param name="Step">From run to run; 0 where there is one.</param>
/// <param name="Run">Elements of a run.</param>
/// <param name="IsExact">The region holds nothing but the view.</param>
/// <param name="Pattern">The view's own pattern.</param>
internal readonly record struct Region(int Partition, int EndPartition, int First, int End, int Step, int Run, bool IsExact, FreePattern Pattern)
{
    /// <summary>All of any tile.</summary>
    public static Region Whole { get; } = new(0, int.MaxValue, 0, int.MaxValue, 0, int.MaxValue, true, default);

    /// <summary>The region that a view is ordered by.</summary>
    public static Region Of(in TileView view)
    {
        if (view.IsWhole)
        {
            return Whole;
        }

        FreePattern free = view.Free;
        int first = view.Offset + free.Lowest, end = view.Offset + free.Highest + 1;
        (int step, int run, bool exact) = free.IsRow ? (0, end - first, true) : Runs(free, end - first);
        return new Region(view.StartPartition, view.StartPartition + view.Partitions, first, end, step, run, exact, free);
    }

    /// <summary>Some element may be in both.</summary>
    public bool Overlaps(in Region other)
    {
        if (Partition >= other.EndPartition || other.Partition >= EndPartition || First >= other.End || other.First >= End)
        {
            return false;
        }

        if (Step == 0 && other.Step == 0)
        {
            return true;
        }

        int step = Divisor(Step, other.Step), ahead = Ahead(other, step);
        return ahead < Run || ahead + other.Run > step;
    }

    /// <summary>Every element of the other one is in this one.</summary>
    public bool Covers(in Region other) =>
        Partition <= other.Partition && EndPartition >= other.EndPartition && First <= other.First && End >= other.End
        && (IsExact ? Step == 0 || (other.Step % Step == 0 && Ahead(other, Step) + other.Run <= Run) : First == other.First && Pattern == other.Pattern);

    /// <summary>The least consecutive partitions and elements that hold both.</summary>
    public Region With(in Region other)
    {
        (int first, int end) = (Math.Min(First, other.First), Math.Max(End, other.End));
        return new Region(Math.Min(Partition, other.Partition), Math.Max(EndPartition, other.EndPartition), first, end, 0, end - first, true, default);
    }

    /// <summary>How far behind a run of this one the first run of the other one begins.</summary>
    private int Ahead(in Region other, int step) => (((other.First - First) % step) + step) % step;

    /// <summary>Loops that leave no gap, from the smallest stride on, make up a run; the others repeat it.</summary>
    private static (int Step, int Run, bool IsExact) Runs(in FreePattern free, int all)
    {
        Span<(int Stride, int Count)> loops = [Loop(free.Inner, free.InnerStride), Loop(free.Middle, free.MiddleStride), Loop(free.Outer, free.OuterStride)];
        loops.Sort();
        (int step, int run, int gaps) = (0, 1, 0);
        foreach ((int stride, int count) in loops)
        {
            if (stride <= run)
            {
                run += stride * (count - 1);
            }
            else
            {
                (step, gaps) = (Divisor(step, stride), gaps + 1);
            }
        }

        return run < step ? (step, run, gaps == 1) : (0, all, gaps == 0);
    }

    private static (int Stride, int Count) Loop(int count, int stride) => count == 1 ? (0, 1) : (Math.Abs(stride), count);

    private static int Divisor(int one, int other) => other == 0 ? one : Divisor(other, one % other);
}
