using Systolic.Units;

namespace Systolic.Components;

/// <summary>Main memory of a chip: equal channels of one standard at a data rate that gives the bandwidth.</summary>
public sealed record DramSpec
{
    /// <summary>The device of a channel, at its own data rate.</summary>
    public required DramStandard Standard { get; init; }

    /// <summary>Channels of the chip; its cores share them evenly.</summary>
    public required int Channels { get; init; }

    /// <summary>Peak bandwidth of the chip.</summary>
    public required Bandwidth Bandwidth { get; init; }

    /// <summary>Capacity of the chip.</summary>
    public required Bytes Capacity { get; init; }

    /// <summary>Consecutive bytes in one pseudo-channel; the next ones are in another.</summary>
    public required Bytes Interleave { get; init; }

    /// <summary>Accesses of a pseudo-channel whose rows may be opened ahead of the oldest one's end.</summary>
    public required int LookAhead { get; init; }

    /// <summary>Accesses of a pseudo-channel that wait to be written.</summary>
    public required int WriteBuffer { get; init; }

    /// <summary>Accesses take no time: only to ask what if.</summary>
    internal bool IsFree { get; init; }

    /// <summary>The device of a channel at the data rate that the bandwidth needs.</summary>
    public DramStandard Device => Standard.AtDataRate(Standard.GigabitsPerPin * Bandwidth.BytesPerSecond / (Channels * Standard.ChannelBytesPerSecond));

    /// <summary>Share of the peak that is left beside refreshes: those of single banks need not stop the data bus.</summary>
    public double SustainedShare => Standard.RefreshesBanks ? 1 : 1 - ((double)Standard.Timing.Rfc / Standard.Timing.Refi);

    /// <summary>Stacks of 1,024 data lines that the channels make up.</summary>
    public double Stacks => Bandwidth.BytesPerSecond * 8 / (Device.GigabitsPerPin * 1e9) / 1024;

    /// <summary>What one of <paramref name="cores"/> cores gets at most when all stream alike.</summary>
    public Bandwidth PerCore(int cores) => Bandwidth * (SustainedShare / cores);
}
