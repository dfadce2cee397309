using System.Runtime.InteropServices;
using Systolic.Numerics;

namespace Systolic.Programs;

/// <summary>Where operands of an engine instruction lie; decides rates and what is counted.</summary>
[Flags]
public enum Operands : byte
{
    /// <summary>All in SBUF.</summary>
    None = 0,

    /// <summary>The destination is in PSUM.</summary>
    DestinationInPsum = 1,

    /// <summary>The first source is in PSUM.</summary>
    FirstInPsum = 2,

    /// <summary>The second source is in PSUM.</summary>
    SecondInPsum = 4,

    /// <summary>The instruction has a second tensor source.</summary>
    TwoTensors = 8,

    /// <summary>A matrix product that adds to its destination.</summary>
    Accumulate = 16,

    /// <summary>Elements of an operand lie too far apart for the full rate.</summary>
    Strided = 32,
}

/// <summary>One instruction of a stream: an engine operation on tiles, or one DMA transfer.</summary>
/// <remarks>
/// Engine operations: <see cref="Partitions"/> x <see cref="Free"/> elements. Matrix products: <see cref="Partitions"/> is K,
/// <see cref="Columns"/> the stationary columns M, <see cref="Free"/> the moving columns N.
/// Transfers: <see cref="Partitions"/> contiguous runs of <see cref="Free"/> bytes each.
/// </remarks>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Instruction
{
    /// <summary>What it does.</summary>
    public Opcode Opcode { get; init; }

    /// <summary>The function of an activation.</summary>
    public ActivationFunction Function { get; init; }

    /// <summary>Type of the sources.</summary>
    public DataType Source { get; init; }

    /// <summary>Type of the destination.</summary>
    public DataType Destination { get; init; }

    /// <summary>Where the operands lie.</summary>
    public Operands Operands { get; init; }

    /// <summary>Partitions used, K of a product, or runs of a transfer.</summary>
    public int Partitions { get; init; }

    /// <summary>Elements per partition, or bytes per run.</summary>
    public int Free { get; init; }

    /// <summary>Stationary columns of a product, or tensors that a transfer adds.</summary>
    public int Columns { get; init; }

    /// <summary>The part of the array that a product occupies.</summary>
    public ArrayTile Tile { get; init; }

    /// <summary>Who writes the descriptors of a transfer.</summary>
    public DescriptorSource Descriptors { get; init; }

    /// <summary>Place in the order in which the kernel wrote the instructions of all streams; the order that its data flow means.</summary>
    internal int Sequence { get; init; }

    /// <summary>Index of the first semaphore wait in <see cref="Program.Waits"/>.</summary>
    public int FirstWait { get; init; }

    /// <summary>Number of semaphore waits.</summary>
    public int WaitCount { get; init; }

    /// <summary>Tile written, as an index of <see cref="Program.Buffers"/>; -1 for none.</summary>
    public int Target { get; init; }

    /// <summary>Second tile written: the sums of a reducing activation; -1 for none.</summary>
    public int Reduced { get; init; }

    /// <summary>First tile read; -1 for none.</summary>
    public int First { get; init; }

    /// <summary>Second tile read; -1 for none.</summary>
    public int Second { get; init; }

    /// <summary>Third tile read; -1 for none.</summary>
    public int Third { get; init; }

    /// <summary>Index of a transfer's view of main memory, and of the second one of a copy within main memory behind it; -1 for none.</summary>
    internal int Memory { get; init; }

    /// <summary>Tensors of main memory that a transfer reads.</summary>
    internal int Sources => Opcode == Opcode.MemorySum ? Columns : Opcode.ReadsMemory() ? 1 : 0;

    /// <summary>All bytes of a transfer.</summary>
    public long TransferBytes => (long)Partitions * Free;
}
