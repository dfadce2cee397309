namespace Systolic.Components;

/// <summary>Notes when, stalls counted, the first and the last access of an operand to its SRAM are served.</summary>
internal sealed class ScaleSimClock(long first, long last)
{
    private long _first;
    private long _last;

    /// <summary>The next cycle to note, from <paramref name="cycle"/> on.</summary>
    public long Next(long cycle) => cycle <= first ? first : cycle <= last ? last : long.MaxValue;

    /// <summary>Notes when the accesses of a cycle are served, if they are the first or the last.</summary>
    public void Record(long cycle, long served)
    {
        _first = cycle == first ? served : _first;
        _last = cycle == last ? served : _last;
    }

    /// <summary>The accesses, being <paramref name="words"/>.</summary>
    public ScaleSimAccesses Accesses(long words) => new(_first, _last, words);
}
