using System.Collections.Immutable;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Components;

/// <summary>Two engines that never access a memory at the same time; the one that comes first goes first.</summary>
/// <param name="First">An engine.</param>
/// <param name="Second">Another one.</param>
/// <param name="FastOnly">Only while the vector engine takes several elements a cycle, for which it borrows the other's bus.</param>
public readonly record struct EngineExclusion(StreamId First, StreamId Second, bool FastOnly = false);

/// <summary>An on-chip memory divided into partitions, managed by the program: SBUF and PSUM are two instances, and so are the three memories of SCALE-Sim.</summary>
public sealed record ScratchpadSpec
{
    /// <summary>Engines that access on-chip memories: tensor, vector, scalar, general-purpose. Transfers have ports of their own.</summary>
    public const int Engines = 4;

    /// <summary>Partitions; one per lane and array row.</summary>
    public required int Partitions { get; init; }

    /// <summary>Size of one partition.</summary>
    public required Bytes PartitionSize { get; init; }

    /// <summary>Banks per partition; an accumulation group occupies one. 1 where banks do not matter.</summary>
    public required int Banks { get; init; }

    /// <summary>Engines that wait for each other.</summary>
    public ImmutableArray<EngineExclusion> Exclusions { get; init; } = [];

    /// <summary>Two engines never access the same bank at the same time.</summary>
    public bool ExclusiveBanks { get; init; }

    /// <summary>Elements further apart than this in a partition are accessed at half the rate.</summary>
    public Bytes FullRateStride { get; init; } = new(long.MaxValue);

    /// <summary>Engines that can access it at once; an engine keeps its port for a whole instruction. By default one for each.</summary>
    public int Ports { get; init; } = Engines;

    /// <summary>What a port moves per partition and cycle of the engine, reads and writes together; null where no engine asks for more.</summary>
    public Bytes? Width { get; init; }

    /// <summary>From an access to its data: what an instruction computes can be read this much later. Zero where the engines' own latencies contain it.</summary>
    public SimTime Latency { get; init; }

    /// <summary>Cycles for which an engine sets up the accesses of an instruction. 0 where the engines' static cycles contain it.</summary>
    public int AccessSetup { get; init; }

    /// <summary>Whole capacity.</summary>
    public Bytes Capacity => PartitionSize * Partitions;

    /// <summary>Size of one bank of one partition.</summary>
    public Bytes BankSize => new(PartitionSize.Value / Banks);
}
