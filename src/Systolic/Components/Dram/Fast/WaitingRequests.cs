namespace Systolic.Components;

/// <summary>Requests in the order of their acceptance, with the banks that they are for.</summary>
internal sealed class WaitingRequests(int size, int banks)
{
    private readonly int[] _slots = new int[size];
    private readonly int[] _perBank = new int[banks];

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>No more are taken.</summary>
    public bool IsFull => Count == _slots.Length;

    /// <summary>Banks that requests are for.</summary>
    public ulong Banks { get; private set; }

    /// <summary>The slot of the request at a place.</summary>
    public int this[int place] => _slots[place];

    /// <summary>Adds the youngest.</summary>
    public void Add(int slot, int bank)
    {
        _slots[Count++] = slot;
        _perBank[bank]++;
        Banks |= 1UL << bank;
    }

    /// <summary>Removes the one at a place.</summary>
    public void RemoveAt(int place, int bank)
    {
        Count--;
        for (int i = place; i < Count; i++)
        {
            _slots[i] = _slots[i + 1];
        }

        if (--_perBank[bank] == 0)
        {
            Banks &= ~(1UL << bank);
        }
    }
}
