using Systolic.Programs;

namespace Systolic.Simulation;

/// <summary>One stream at work: how far it is and when each instruction started, let its successor go, and completed (femtoseconds).</summary>
internal sealed class StreamState(int length)
{
    /// <summary>No instruction can start yet, or none is left.</summary>
    public const long Blocked = long.MaxValue;

    /// <summary>Instructions issued so far.</summary>
    public int Issued { get; private set; }

    /// <summary>Instructions, from the first on, whose completion is known.</summary>
    public int Known { get; private set; }

    /// <summary>When the next instruction can start; <see cref="Blocked"/> while a producer has not been issued.</summary>
    public long Ready { get; set; } = Blocked;

    /// <summary>When the next instruction takes its turn: at its start, or, a transfer, when it reaches the DMA engines, which serve in this order.</summary>
    public long Turn { get; set; } = Blocked;

    /// <summary>The wait that blocks, when <see cref="Ready"/> is <see cref="Blocked"/>.</summary>
    public SemaphoreWait BlockedOn { get; set; }

    /// <summary>Start of each issued instruction.</summary>
    public long[] Start { get; } = new long[length];

    /// <summary>Earliest issue of each instruction's successor.</summary>
    public long[] Free { get; } = new long[length];

    /// <summary>Completion of each instruction; never before an earlier one's, for the semaphore counts in order.</summary>
    public long[] Done { get; } = new long[length];

    /// <summary>For how long each instruction waited at a scratchpad port or bank; null where none did.</summary>
    public long[]? PortWait { get; private set; }

    /// <summary>Every instruction was issued.</summary>
    public bool Finished => Issued == Start.Length;

    /// <summary>When the stream itself can take its next instruction.</summary>
    public long NextFree => Issued == 0 ? 0 : Free[Issued - 1];

    /// <summary>The next instruction waits at a port.</summary>
    public void WaitAtPort(long time) => (PortWait ??= new long[Start.Length])[Issued] = time;

    /// <summary>Records the next instruction of an engine.</summary>
    public void Issue(long start, long free, long done)
    {
        Issue(start, free);
        Complete(Issued - 1, done);
    }

    /// <summary>Records the next transfer of a queue; when it completes is not known yet.</summary>
    public void Issue(long start, long free)
    {
        Start[Issued] = start;
        Free[Issued] = free;
        Done[Issued] = Blocked;
        Issued++;
    }

    /// <summary>Records when an instruction completes.</summary>
    public void Complete(int index, long done)
    {
        Done[index] = done;
        for (; Known < Issued && Done[Known] != Blocked; Known++)
        {
            Done[Known] = Known == 0 ? Done[0] : Math.Max(Done[Known], Done[Known - 1]);
        }
    }
}
