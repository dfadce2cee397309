using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Components;

/// <summary>The DMA engines of a core.</summary>
public sealed record DmaSpec
{
    /// <summary>Engines; a transfer is spread over them by partitions.</summary>
    public required int Engines { get; init; }

    /// <summary>Sustained bandwidth of one engine.</summary>
    public required Bandwidth EngineBandwidth { get; init; }

    /// <summary>Partitions that one engine serves.</summary>
    public required int PartitionsPerEngine { get; init; }

    /// <summary>A contiguous run is charged as at least this size.</summary>
    public required Bytes MinimumRun { get; init; }

    /// <summary>Between two transfers of a queue whose descriptors the compiler wrote.</summary>
    public required SimTime IssueInterval { get; init; }

    /// <summary>Descriptor generation blocks of a core; 0 where descriptors written at run time are written by software.</summary>
    public required int DescriptorBlocks { get; init; }

    /// <summary>For which a block writes the descriptors of one transfer.</summary>
    public required SimTime BlockInterval { get; init; }

    /// <summary>For which the general-purpose engine writes the descriptors of one transfer.</summary>
    public required SimTime SoftwareInterval { get; init; }

    /// <summary>From the trigger to the first byte. A block writes descriptors within it; the compiler and software write them before.</summary>
    public required SimTime TriggerLatency { get; init; }

    /// <summary>From the last byte to a waiting engine's start.</summary>
    public required SimTime CompletionLatency { get; init; }

    /// <summary>What one engine keeps on its way to or from main memory.</summary>
    public required Bytes Outstanding { get; init; }

    /// <summary>Rate of an element-wise transpose from main memory to the scratchpad, as a share of the copy rate; 0 where the engines cannot.</summary>
    public required double MemoryTransposeShare { get; init; }

    /// <summary>Rate of an element-wise transpose within the scratchpad, as a share of the copy rate; 0 where the engines cannot.</summary>
    public required double LocalTransposeShare { get; init; }

    /// <summary>Rate at which each source of a sum within main memory passes, as a share of the copy rate.</summary>
    public required double MemorySumShare { get; init; }

    /// <summary>Bandwidth of all engines.</summary>
    public Bandwidth Bandwidth => EngineBandwidth * Engines;

    /// <summary>When a transfer that has been issued at <paramref name="issued"/> reaches the engines, in femtoseconds.</summary>
    internal long ArrivalAt(DescriptorSource source, long issued) => issued + source switch
    {
        DescriptorSource.Hardware or DescriptorSource.HardwareOneBlock => Math.Max(0, TriggerLatency.Value - BlockInterval.Value),
        _ => TriggerLatency.Value,
    };
}
