using System.Numerics;

namespace Systolic.Components;

/// <summary>Requests in the order of their acceptance, with the banks that they are for.</summary>
internal sealed class WaitingRequests(int size, int banks)
{
    private readonly int[] _slots = new int[BitOperations.RoundUpToPowerOf2((uint)size)];
    private readonly int[] _perBank = new int[banks];
    private int _head;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>No more are taken.</summary>
    public bool IsFull => Count == size;

    /// <summary>Banks that requests are for.</summary>
    public ulong Banks { get; private set; }

    /// <summary>The slot of the request at a place.</summary>
    public int this[int place] => _slots[(_head + place) & (_slots.Length - 1)];

    /// <summary>Adds the youngest.</summary>
    public void Add(int slot, int bank)
    {
        _slots[(_head + Count++) & (_slots.Length - 1)] = slot;
        _perBank[bank]++;
        Banks |= 1UL << bank;
    }

    /// <summary>Removes the one at a place; those before it move up, usually none.</summary>
    public void RemoveAt(int place, int bank)
    {
        int mask = _slots.Length - 1;
        for (int i = place; i > 0; i--)
        {
            _slots[(_head + i) & mask] = _slots[(_head + i - 1) & mask];
        }

        _head = (_head + 1) & mask;
        Count--;
        if (--_perBank[bank] == 0)
        {
            Banks &= ~(1UL << bank);
        }
    }
}
