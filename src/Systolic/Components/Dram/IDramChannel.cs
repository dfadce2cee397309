namespace Systolic.Components;

/// <summary>The controller of one channel. A tick is: requests are offered, then the tick is executed.</summary>
internal interface IDramChannel
{
    /// <summary>What it did so far.</summary>
    DramCounts Counts { get; }

    /// <summary>Offers a request in the tick that is executed next.</summary>
    /// <param name="address">A multiple of the burst size; requests of equal addresses may be merged.</param>
    /// <param name="bank">The bank of the channel.</param>
    /// <param name="row">The row of the bank.</param>
    /// <param name="isWrite">A write.</param>
    /// <param name="tag">Comes back with the completion.</param>
    /// <param name="tick">The tick.</param>
    /// <returns>False when its queue is full.</returns>
    bool TryEnqueue(long address, int bank, int row, bool isWrite, long tag, long tick);

    /// <summary>The next tick in which something may happen without further requests, at least <paramref name="tick"/>; <see cref="long.MaxValue"/> if none.</summary>
    long NextTick(long tick);

    /// <summary>Executes a tick. Ticks that are left out are those in which nothing happens.</summary>
    /// <returns>As <see cref="NextTick"/> of the tick after it.</returns>
    long Execute(long tick);

    /// <summary>The next completion in the order of ticks, if its tick is known and below <paramref name="end"/>.</summary>
    bool TryTake(long end, out DramCompletion completion);

    /// <summary>The tick of the next completion that is known; <see cref="long.MaxValue"/> if none.</summary>
    long NextCompletion { get; }

    /// <summary>The oldest request that has not been answered, for messages; null if there is none.</summary>
    string? OldestWaiting { get; }
}
