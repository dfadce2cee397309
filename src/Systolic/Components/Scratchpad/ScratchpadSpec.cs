using Systolic.Units;

namespace Systolic.Components;

/// <summary>An on-chip memory divided into partitions, managed by the program: SBUF and PSUM are two instances.</summary>
public sealed record ScratchpadSpec
{
    /// <summary>Partitions; one per lane and array row.</summary>
    public required int Partitions { get; init; }

    /// <summary>Size of one partition.</summary>
    public required Bytes PartitionSize { get; init; }

    /// <summary>Banks per partition; an accumulation group occupies one. 1 where banks do not matter.</summary>
    public required int Banks { get; init; }

    /// <summary>Whole capacity.</summary>
    public Bytes Capacity => PartitionSize * Partitions;

    /// <summary>Size of one bank of one partition.</summary>
    public Bytes BankSize => new(PartitionSize.Value / Banks);
}
