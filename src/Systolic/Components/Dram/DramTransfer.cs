namespace Systolic.Components;

/// <summary>A request of any size, split into bursts that are offered in order of address.</summary>
internal sealed class DramTransfer
{
    private readonly int _burstBytes;
    private readonly bool _isWrite;
    private readonly long _tag;
    private long _next;
    private long _unaccepted;

    /// <summary>Whole bursts that cover the bytes.</summary>
    /// <param name="address">Of the first byte.</param>
    /// <param name="bytes">Above 0.</param>
    /// <param name="isWrite">A write.</param>
    /// <param name="tag">The tag of every burst.</param>
    /// <param name="burstBytes">Of the memory.</param>
    public DramTransfer(long address, long bytes, bool isWrite, long tag, int burstBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(address);
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        (_burstBytes, _isWrite, _tag) = (burstBytes, isWrite, tag);
        _next = address / burstBytes * burstBytes;
        _unaccepted = (address + bytes - _next + burstBytes - 1) / burstBytes;
        Incomplete = _unaccepted;
    }

    /// <summary>Bursts whose completion has not been reported.</summary>
    public long Incomplete { get; private set; }

    /// <summary>Every burst was accepted.</summary>
    public bool IsAccepted => _unaccepted == 0;

    /// <summary>Offers bursts until one is refused or all are accepted.</summary>
    /// <returns>Bursts accepted now.</returns>
    public long OfferTo(DramController memory, long tick)
    {
        long before = _unaccepted;
        while (_unaccepted > 0 && memory.TryEnqueue(_next, _isWrite, _tag, tick))
        {
            _next += _burstBytes;
            _unaccepted--;
        }

        return before - _unaccepted;
    }

    /// <summary>A burst of this tag is complete.</summary>
    public void Complete() => Incomplete--;
}
