using Systolic.Accounting;

namespace Systolic.Components;

/// <summary>Main memory as the DMA engines of one core see it. Times in femtoseconds; requests come in the order of time.</summary>
internal interface IMainMemory
{
    /// <summary>Bytes that a request may hold at most: it must not cross a multiple of this.</summary>
    long Piece { get; }

    /// <summary>Reads; returns when the data has come.</summary>
    /// <param name="address">First byte.</param>
    /// <param name="bytes">How many.</param>
    /// <param name="time">When the request comes.</param>
    /// <param name="placed">The data lies there; else the address only stands for one that the program does not say.</param>
    long Read(long address, int bytes, long time, bool placed);

    /// <summary>Writes; returns when the data has been taken.</summary>
    /// <param name="address">First byte.</param>
    /// <param name="bytes">How many.</param>
    /// <param name="time">When the request comes.</param>
    /// <param name="placed">As in <see cref="Read"/>.</param>
    long Write(long address, int bytes, long time, bool placed);

    /// <summary>Ends a program whose last request was done at <paramref name="time"/>; returns when nothing is left to write but in the controllers' own buffers.</summary>
    long Finish(long time);

    /// <summary>Adds what was moved.</summary>
    void Count(ActivityCounts counts);
}
