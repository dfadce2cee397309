using System.Collections.Immutable;

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
    }

    /// <summary>The operator's name.</summary>
    public string Name { get; }

    /// <summary>Where the tiles lie.</summary>
    public ImmutableArray<TileBuffer> Buffers { get; }

    /// <summary>The semaphore waits that instructions refer to.</summary>
    public ReadOnlySpan<SemaphoreWait> Waits => _waits;

    /// <summary>Tiles over all buffers.</summary>
    public int Tiles => Buffers.Sum(buffer => buffer.Copies);

    /// <summary>The instructions of one stream in order.</summary>
    public ReadOnlySpan<Instruction> this[StreamId stream] => _streams[(int)stream];

    /// <summary>Instructions over all streams.</summary>
    public int Length => _streams.Sum(stream => stream.Length);

    /// <summary>Bytes per partition that the buffers of <paramref name="space"/> occupy.</summary>
    public long BytesPerPartition(MemorySpace space) =>
        Buffers.Where(buffer => buffer.Space == space).Sum(buffer => buffer.BytesPerPartition * buffer.Copies);
}
