using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Components;
using Systolic.Numerics;
using Systolic.Reporting;
using Systolic.Units;

namespace Systolic.Hardware;

/// <summary>Signals between engines, cores and the host.</summary>
public sealed record SynchronizationSpec
{
    /// <summary>From an engine's increment to another engine's start.</summary>
    public required SimTime SemaphoreLatency { get; init; }

    /// <summary>Exchange of signals between the cores of a chip.</summary>
    public required SimTime ExchangeLatency { get; init; }

    /// <summary>Start and end of a program on the device, once per run.</summary>
    public required SimTime ProgramOverhead { get; init; }

    /// <summary>What a program that describes transfers at run time takes longer to start.</summary>
    public required SimTime RunTimeDescriptorOverhead { get; init; }

    /// <summary>Start and end of a program that does, or does not, describe transfers at run time.</summary>
    public SimTime Overhead(bool describesAtRunTime) => ProgramOverhead + (describesAtRunTime ? RunTimeDescriptorOverhead : SimTime.Zero);
}

/// <summary>A systolic-array accelerator: cores of five engines around a scratchpad, sharing main memory. The hardware configuration, immutable.</summary>
public sealed record Accelerator
{
    /// <summary>The name in reports.</summary>
    public required string Name { get; init; }

    /// <summary>Equal cores; a workload is divided over them by tensor parallelism.</summary>
    public required int Cores { get; init; }

    /// <summary>The systolic array of each core.</summary>
    public required TensorEngineSpec TensorEngine { get; init; }

    /// <summary>The vector engine of each core.</summary>
    public required VectorEngineSpec VectorEngine { get; init; }

    /// <summary>The scalar engine of each core.</summary>
    public required ScalarEngineSpec ScalarEngine { get; init; }

    /// <summary>The general-purpose engine of each core.</summary>
    public required GpSimdEngineSpec GpSimdEngine { get; init; }

    /// <summary>The scratchpad of each core.</summary>
    public required ScratchpadSpec Sbuf { get; init; }

    /// <summary>The accumulator memory of each core.</summary>
    public required ScratchpadSpec Psum { get; init; }

    /// <summary>The DMA engines of each core.</summary>
    public required DmaSpec Dma { get; init; }

    /// <summary>A cache of the chip between the DMA engines and main memory; null for none.</summary>
    public SharedCacheSpec? SharedCache { get; init; }

    /// <summary>Main memory of the chip.</summary>
    public required DramSpec Memory { get; init; }

    /// <summary>Signals between engines, cores and the host.</summary>
    public required SynchronizationSpec Synchronization { get; init; }

    /// <summary>Prices of activity and static power of the chip.</summary>
    public required EnergyModel Energy { get; init; }

    /// <summary>Links to other chips; null for none.</summary>
    public LinkFabric? Links { get; init; }

    /// <summary>Parameters without a source.</summary>
    public ImmutableArray<Assumption> Assumptions { get; init; } = [];

    /// <summary>What one core gets of main memory when all cores stream alike.</summary>
    public Bandwidth MemoryPerCore => Memory.PerCore(Cores);

    /// <summary>Peak multiply-accumulates per second of all cores.</summary>
    public double PeakMacsPerSecond(DataType type) => Cores * TensorEngine.PeakMacsPerSecond(type);
}
