namespace Systolic.Components;

/// <summary>A request in a slot of <see cref="FrFcfsChannel"/>.</summary>
internal struct ChannelRequest
{
    /// <summary>Its address.</summary>
    public long Address;

    /// <summary>Comes back with the completion.</summary>
    public long Tag;

    /// <summary>The tick of its acceptance.</summary>
    public long Accepted;

    /// <summary>Its place among all; among those whose row was opened for them, the place of the opening.</summary>
    public long Order;

    /// <summary>The row of the bank.</summary>
    public int Row;

    /// <summary>The bank of the channel.</summary>
    public int Bank;

    /// <summary>The request before it in the list of its bank.</summary>
    public int Previous;

    /// <summary>The request after it in that list, or the next free slot.</summary>
    public int Next;

    /// <summary>A write.</summary>
    public bool IsWrite;

    /// <summary>It counts among row hits, misses or conflicts already.</summary>
    public bool IsCounted;
}
