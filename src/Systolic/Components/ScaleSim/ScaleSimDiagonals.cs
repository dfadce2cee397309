namespace Systolic.Components;

/// <summary>Counts the entries of skewed blocks: entry (row, lane) lies on diagonal row + lane, which is the cycle at which it passes.</summary>
internal static class ScaleSimDiagonals
{
    /// <summary>Entries on one diagonal of a block of <paramref name="rows"/> by <paramref name="lanes"/>.</summary>
    public static long On(long diagonal, long rows, long lanes) =>
        diagonal < 0 ? 0 : Math.Max(0, Math.Min(Math.Min(diagonal + 1, rows + lanes - 1 - diagonal), Math.Min(rows, lanes)));

    /// <summary>Entries above a diagonal in the lanes from <paramref name="first"/> to before <paramref name="end"/>, each <paramref name="rows"/> long.</summary>
    /// <remarks>Lane j holds min(max(diagonal - j, 0), rows) of them; the sum over j is a difference of two sums over y = diagonal - j.</remarks>
    public static long Above(long diagonal, long rows, long first, long end) => Sum(diagonal - first, rows) - Sum(diagonal - end, rows);

    // min(y, rows) summed over y from 0 to last.
    private static long Sum(long last, long rows)
    {
        if (last <= 0)
        {
            return 0;
        }

        return checked(last <= rows ? last * (last + 1) / 2 : (rows * (rows + 1) / 2) + ((last - rows) * rows));
    }
}
