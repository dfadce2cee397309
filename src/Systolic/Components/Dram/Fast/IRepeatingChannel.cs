namespace Systolic.Components;

/// <summary>A channel whose state can be compared with an earlier one and moved along a stream that repeats.</summary>
internal interface IRepeatingChannel : IDramChannel
{
    /// <summary>Refreshes so far.</summary>
    long Refreshes { get; }

    /// <summary>Writes down all that decides what happens from the tick of the state on. No completion may be left to take.</summary>
    void Describe(DramState state);

    /// <summary>Moves everything that waits or holds a time, and counts the commands in between.</summary>
    void Skip(DramShift shift, DramCounts counts);
}
