using Systolic.Units;

namespace Systolic.Components;

/// <summary>Main memory of a chip as a shared bandwidth: HBM.</summary>
public sealed record DramSpec
{
    /// <summary>Peak bandwidth of the chip.</summary>
    public required Bandwidth Bandwidth { get; init; }

    /// <summary>Share of the peak that streaming sustains.</summary>
    public required double SustainedShare { get; init; }

    /// <summary>Capacity of the chip.</summary>
    public required Bytes Capacity { get; init; }

    /// <summary>What one of <paramref name="cores"/> cores gets when all stream alike.</summary>
    public Bandwidth PerCore(int cores) => Bandwidth * (SustainedShare / cores);
}
