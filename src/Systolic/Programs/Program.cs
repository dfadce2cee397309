using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Systolic.Programs;

/// <summary>What one core executes for an operator: an in-order stream per engine and DMA queue, ordered among each other by semaphores.</summary>
public sealed class Program
{
    private readonly Instruction[][] _streams;
    private readonly SemaphoreWait[] _waits;

    /// <summary>A program of given streams (indexed by <see cref="StreamId"/>), waits and buffers.</summary>
    /// <exception cref="ArgumentException">There is not one array per stream.</exception>
    public Program(string name, Instruction[][] streams, SemaphoreWait[] waits, ImmutableArray<TileBuffer> buffers)
    {
        ArgumentNullException.ThrowIfNull(streams);
        if (streams.Length != Streams.Count)
        {
            throw new ArgumentException($"Found {streams.Length} streams, expected {Streams.Count}.", nameof(streams));
        }

        (Name, _streams, _waits, Buffers) = (name, streams, waits, buffers);
        PartEnds = [[.. streams.Select(stream => stream.Length)]];
    }

    /// <summary>As the public one, with the tensors of main memory, what transfers move of them, and, where values were asked for, what each instruction computes.</summary>
    internal Program(string name, Instruction[][] streams, SemaphoreWait[] waits, ImmutableArray<TileBuffer> buffers, MemoryMap memory, Operation[][]? operations)
        : this(name, streams, waits, buffers) => (Memory, Operations) = (memory, operations);

    /// <summary>The operator's name.</summary>
    public string Name { get; }

    /// <summary>For each of the parts that were linked into this program (<c>ProgramLinker</c>), in order: one more than its last instruction of each stream. A program of one operator has one part.</summary>
    internal ImmutableArray<ImmutableArray<int>> PartEnds { get; init; }

    /// <summary>The part that instruction <paramref name="index"/> of a stream belongs to.</summary>
    internal int PartOf(StreamId stream, int index)
    {
        ImmutableArray<ImmutableArray<int>> ends = PartEnds;
        (int low, int high) = (0, ends.Length - 1);
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = index < ends[middle][(int)stream] ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    /// <summary>Where the tiles lie.</summary>
    public ImmutableArray<TileBuffer> Buffers { get; }

    /// <summary>The tensors of main memory that transfers move.</summary>
    public ImmutableArray<MemoryTensor> Tensors => Memory.Tensors;

    /// <summary>The program keeps what each instruction computes, so it can be executed on data.</summary>
    public bool HasValues => Operations is not null;

    /// <summary>What transfers move of main memory.</summary>
    internal MemoryMap Memory { get; } = MemoryMap.Empty;

    /// <summary>What each instruction of each stream computes; null in a program for timing only.</summary>
    internal Operation[][]? Operations { get; }

    /// <summary>Adds to <paramref name="hash"/> all that decides how long the program takes; where tiles lie is not part of it, for what must wait for a place says so.</summary>
    internal void AddTo(IncrementalHash hash)
    {
        foreach (Instruction[] stream in _streams)
        {
            Add<Instruction>(hash, stream);
        }

        Add<SemaphoreWait>(hash, _waits);
        foreach (ImmutableArray<int> ends in PartEnds)
        {
            Add(hash, ends.AsSpan());
        }

        Memory.AddTo(hash);
    }

    /// <summary>Adds the number of <paramref name="values"/> and their bytes.</summary>
    internal static void Add<T>(IncrementalHash hash, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        hash.AppendData(BitConverter.GetBytes(values.Length));
        hash.AppendData(MemoryMarshal.AsBytes(values));
    }

    /// <summary>What transfer <paramref name="op"/> moves of main memory; null when it stays on chip or its kernel does not say.</summary>
    public MemoryView? MemoryOf(in Instruction op) => MemoryOf(op, 0);

    /// <summary>One of the tensors that <paramref name="op"/> reads.</summary>
    internal MemoryView? MemoryOf(in Instruction op, int source) => op.Memory < 0 || !Memory.Has(op.Memory + source) ? null : Memory[op.Memory + source];

    /// <summary>Where a copy or sum within main memory goes to.</summary>
    public MemoryView? MemoryTargetOf(in Instruction op) => op.Opcode.StaysInMemory() && op.Memory >= 0 && Memory.Has(op.Memory) ? Memory[op.Memory + op.Sources] : null;

    /// <summary>What instruction <paramref name="index"/> of a stream computes.</summary>
    internal ref readonly Operation OperationOf(StreamId stream, int index) => ref Operations![(int)stream][index];

    /// <summary>The semaphore waits that instructions refer to.</summary>
    public ReadOnlySpan<SemaphoreWait> Waits => _waits;

    /// <summary>Tiles over all buffers.</summary>
    public int Tiles => Buffers.Sum(buffer => buffer.Copies);

    /// <summary>The instructions of one stream in order.</summary>
    public ReadOnlySpan<Instruction> this[StreamId stream] => _streams[(int)stream];

    /// <summary>Descriptors of some of its transfers are written at run time.</summary>
    public bool DescribesAtRunTime => _streams.Any(stream => stream.Any(op => op.Descriptors != DescriptorSource.Compiled));

    /// <summary>Instructions over all streams.</summary>
    public int Length => _streams.Sum(stream => stream.Length);

    /// <summary>Bytes per partition that the buffers of <paramref name="space"/> occupy, from the first address to the last.</summary>
    public long BytesPerPartition(MemorySpace space) =>
        Buffers.Where(buffer => buffer.Space == space).Select(buffer => buffer.End).DefaultIfEmpty().Max();
}
