namespace Systolic.Components;

/// <summary>The reads or the writes that wait in a channel: a list per bank in the order of acceptance, and of every bank the first request that hits and that misses its row.</summary>
internal sealed class RequestBuffer
{
    private const int None = -1;

    private readonly ChannelRequest[] _requests;
    private readonly int[] _head;
    private readonly int[] _tail;
    private readonly int[] _firstHit;
    private readonly int[] _firstMiss;

    public RequestBuffer(int size, int banks, ChannelRequest[] requests)
    {
        (Size, _requests) = (size, requests);
        (_head, _tail, _firstHit, _firstMiss) = (Nones(banks), Nones(banks), Nones(banks), Nones(banks));
    }

    /// <summary>How many fit.</summary>
    public int Size { get; }

    /// <summary>How many wait.</summary>
    public int Count { get; private set; }

    /// <summary>Closed banks that requests are for.</summary>
    public ulong Closed { get; private set; }

    /// <summary>Banks whose open row is wanted.</summary>
    public ulong Hits { get; private set; }

    /// <summary>Open banks of which another row is wanted.</summary>
    public ulong Misses { get; private set; }

    /// <summary>The oldest request of a bank.</summary>
    public int Oldest(int bank) => _head[bank];

    /// <summary>The oldest that hits the open row of a bank.</summary>
    public int OldestHit(int bank) => _firstHit[bank];

    /// <summary>The oldest that wants another row of an open bank.</summary>
    public int OldestMiss(int bank) => _firstMiss[bank];

    /// <summary>Adds the youngest.</summary>
    /// <param name="slot">The request.</param>
    /// <param name="openRow">The open row of its bank, or below 0.</param>
    /// <param name="halfOpen">The bank is between the two halves of an activate.</param>
    public void Add(int slot, int openRow, bool halfOpen)
    {
        ref ChannelRequest request = ref _requests[slot];
        int bank = request.Bank;
        (request.Previous, request.Next) = (_tail[bank], None);
        if (_tail[bank] == None)
        {
            _head[bank] = slot;
        }
        else
        {
            _requests[_tail[bank]].Next = slot;
        }

        _tail[bank] = slot;
        Count++;
        Note(slot, bank, openRow, halfOpen);
    }

    /// <summary>Removes a request.</summary>
    public void Remove(int slot)
    {
        ref ChannelRequest request = ref _requests[slot];
        int bank = request.Bank;
        ulong bit = 1UL << bank;
        Unlink(ref request, bank);
        Count--;
        if (_firstHit[bank] == slot)
        {
            _firstHit[bank] = NextWith(request.Next, request.Row);
            Hits = _firstHit[bank] == None ? Hits & ~bit : Hits;
        }

        if (_head[bank] == None)
        {
            Closed &= ~bit;
        }
    }

    /// <summary>The row of a bank changed.</summary>
    public void Classify(int bank, int openRow, bool halfOpen)
    {
        ulong bit = 1UL << bank;
        Closed &= ~bit;
        Hits &= ~bit;
        Misses &= ~bit;
        (_firstHit[bank], _firstMiss[bank]) = (None, None);
        for (int slot = _head[bank]; slot != None; slot = _requests[slot].Next)
        {
            Note(slot, bank, openRow, halfOpen);
            if (openRow < 0 || (Hits & Misses & bit) != 0)
            {
                return;
            }
        }
    }

    /// <summary>A request of this address waits.</summary>
    public bool Holds(long address, int bank)
    {
        int slot = _head[bank];
        while (slot != None && _requests[slot].Address != address)
        {
            slot = _requests[slot].Next;
        }

        return slot != None;
    }

    /// <summary>The oldest request of all; -1 if there is none.</summary>
    public int OldestOfAll()
    {
        int oldest = None;
        foreach (int slot in _head)
        {
            if (slot != None && (oldest == None || _requests[slot].Order < _requests[oldest].Order))
            {
                oldest = slot;
            }
        }

        return oldest;
    }

    private void Note(int slot, int bank, int openRow, bool halfOpen)
    {
        ulong bit = 1UL << bank;
        if (halfOpen)
        {
            return;
        }

        if (openRow < 0)
        {
            Closed |= bit;
        }
        else if (_requests[slot].Row == openRow)
        {
            (_firstHit[bank], Hits) = (Hits & bit) == 0 ? (slot, Hits | bit) : (_firstHit[bank], Hits);
        }
        else
        {
            (_firstMiss[bank], Misses) = (Misses & bit) == 0 ? (slot, Misses | bit) : (_firstMiss[bank], Misses);
        }
    }

    private int NextWith(int slot, int row)
    {
        while (slot != None && _requests[slot].Row != row)
        {
            slot = _requests[slot].Next;
        }

        return slot;
    }

    private void Unlink(ref ChannelRequest request, int bank)
    {
        if (request.Previous == None)
        {
            _head[bank] = request.Next;
        }
        else
        {
            _requests[request.Previous].Next = request.Next;
        }

        if (request.Next == None)
        {
            _tail[bank] = request.Previous;
        }
        else
        {
            _requests[request.Next].Previous = request.Previous;
        }
    }

    private static int[] Nones(int count)
    {
        int[] all = new int[count];
        Array.Fill(all, None);
        return all;
    }
}
