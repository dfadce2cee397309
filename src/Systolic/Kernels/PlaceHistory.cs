namespace Systolic.Kernels;

/// <summary>Who last used each place of an on-chip memory; addresses in bytes per partition.</summary>
internal sealed class PlaceHistory
{
    private readonly List<(long Start, long End, Reached Last)> _uses = [];

    /// <summary>What must be complete before a place is used anew.</summary>
    public Reached Of(long start, long end)
    {
        var reached = new Reached();
        foreach ((long from, long until, Reached last) in _uses)
        {
            if (from < end && until > start)
            {
                reached.Include(last);
            }
        }

        return reached;
    }

    /// <summary>Earlier uses of a place no longer matter: whoever used it since has waited for them.</summary>
    public void Forget(long start, long end)
    {
        for (int i = _uses.Count - 1; i >= 0; i--)
        {
            (long from, long until, Reached last) = _uses[i];
            if (from >= end || until <= start)
            {
                continue;
            }

            _uses.RemoveAt(i);
            Add(from, Math.Min(until, start), last);
            Add(Math.Max(from, end), until, last);
        }
    }

    /// <summary>A use; of nothing if the place is empty.</summary>
    public void Add(long start, long end, Reached last)
    {
        if (end > start)
        {
            _uses.Add((start, end, last));
        }
    }
}
