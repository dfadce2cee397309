namespace Systolic.Components;

/// <summary>Completions in the order of their ticks; of one tick in the order of their entry.</summary>
internal sealed class CompletionList
{
    private readonly List<DramCompletion> _items = [];

    /// <summary>The tick of the first; <see cref="long.MaxValue"/> if none.</summary>
    public long First => _items.Count == 0 ? long.MaxValue : _items[0].Tick;

    /// <summary>Enters a completion.</summary>
    public void Add(DramCompletion completion)
    {
        int at = _items.Count;
        while (at > 0 && _items[at - 1].Tick > completion.Tick)
        {
            at--;
        }

        _items.Insert(at, completion);
    }

    /// <summary>Takes the first if its tick is below <paramref name="end"/>.</summary>
    public bool TryTake(long end, out DramCompletion completion)
    {
        completion = default;
        if (First >= end)
        {
            return false;
        }

        completion = _items[0];
        _items.RemoveAt(0);
        return true;
    }
}
