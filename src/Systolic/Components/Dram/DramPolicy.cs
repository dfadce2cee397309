namespace Systolic.Components;

/// <summary>How a controller picks the next command.</summary>
public enum DramScheduling
{
    /// <summary>Requests move into a queue per bank; the queues take turns, and in each the first command that can issue does (DRAMsim3).</summary>
    BankQueues,

    /// <summary>First ready, first come, first served over one buffer (Ramulator 2.1 "FRFCFS").</summary>
    FrFcfs,

    /// <summary>As <see cref="FrFcfs"/>, and a row is not closed while an older or equally old request wants it ("FRFCFS-RowHit").</summary>
    FrFcfsRowHit,
}

/// <summary>When rows are refreshed.</summary>
public enum DramRefresh
{
    /// <summary>All banks of a pseudo-channel at once.</summary>
    AllBank,

    /// <summary>One bank after the other.</summary>
    PerBank,

    /// <summary>Never.</summary>
    Off,
}

/// <summary>The rules and sizes of a memory controller; rows stay open until another row is wanted.</summary>
public sealed record DramPolicy
{
    /// <summary>Rules and sizes of DRAMsim3 (commit 2981759).</summary>
    public static DramPolicy Dramsim3 { get; } = new() { Name = "dramsim3", Scheduling = DramScheduling.BankQueues };

    /// <summary>Rules and sizes of Ramulator 2.1 (commit c5b1c3a).</summary>
    public static DramPolicy Ramulator2 { get; } = new() { Name = "ramulator2", Scheduling = DramScheduling.FrFcfs };

    /// <summary>The same with its scheduler that protects row hits.</summary>
    public static DramPolicy Ramulator2RowHit { get; } = new() { Name = "ramulator2-rowhit", Scheduling = DramScheduling.FrFcfsRowHit };

    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>How the next command is picked.</summary>
    public required DramScheduling Scheduling { get; init; }

    /// <summary>When rows are refreshed.</summary>
    public DramRefresh Refresh { get; init; } = DramRefresh.AllBank;

    /// <summary>Reads that wait in a channel.</summary>
    public int ReadQueue { get; init; } = 32;

    /// <summary>Writes that wait in a channel.</summary>
    public int WriteQueue { get; init; } = 32;

    /// <summary>Commands that wait for a bank (bank queues only).</summary>
    public int BankQueue { get; init; } = 8;

    /// <summary>An idle channel starts to write when more than so many writes wait (bank queues only).</summary>
    public int IdleWrites { get; init; } = 8;

    /// <summary>After so many accesses since its activate a row loses its protection from being closed (bank queues only).</summary>
    public int RowHitCap { get; init; } = 4;

    /// <summary>Writing starts above this share of the write queue (first ready, first come only).</summary>
    public double HighWatermark { get; init; } = 0.8;

    /// <summary>Writing stops below this share once reads wait (first ready, first come only).</summary>
    public double LowWatermark { get; init; } = 0.2;
}
