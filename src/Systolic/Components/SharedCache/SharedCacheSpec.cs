using Systolic.Units;

namespace Systolic.Components;

/// <summary>A cache on the chip between the DMA engines and main memory, shared by its cores: sets of lines, the least recently used one replaced, written back.</summary>
public sealed record SharedCacheSpec
{
    /// <summary>Capacity of the chip; its cores share it evenly.</summary>
    public required Bytes Capacity { get; init; }

    /// <summary>Bytes that are fetched, kept and written back together.</summary>
    public required Bytes Line { get; init; }

    /// <summary>Lines of a set.</summary>
    public required int Ways { get; init; }

    /// <summary>Banks of the chip; its cores share them evenly. Consecutive lines are in different banks, each serves one access at a time.</summary>
    public required int Banks { get; init; }

    /// <summary>Bandwidth of all banks.</summary>
    public required Bandwidth Bandwidth { get; init; }

    /// <summary>From a request to its first byte, or to main memory when the line is not there.</summary>
    public required SimTime Latency { get; init; }

    /// <summary>Sets of the chip.</summary>
    public long Sets => Capacity.Value / (Line.Value * Ways);
}
