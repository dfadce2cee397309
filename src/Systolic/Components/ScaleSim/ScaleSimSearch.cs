namespace Systolic.Components;

/// <summary>Bisection.</summary>
internal static class ScaleSimSearch
{
    /// <summary>The last number from <paramref name="first"/> to <paramref name="last"/> that fulfils a condition which, once false, stays so; it holds for the first.</summary>
    public static long Last(long first, long last, Func<long, bool> holds)
    {
        while (first < last)
        {
            long middle = first + ((last - first + 1) / 2);
            if (holds(middle))
            {
                first = middle;
            }
            else
            {
                last = middle - 1;
            }
        }

        return first;
    }
}
