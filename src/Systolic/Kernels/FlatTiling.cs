using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>A matrix taken as a flat array and spread over all partitions, so that even one row uses every lane.</summary>
/// <param name="Elements">All elements.</param>
/// <param name="Partitions">Partitions to spread over.</param>
/// <param name="Width">Elements per partition of a full chunk.</param>
internal readonly record struct FlatTiling(long Elements, int Partitions, int Width)
{
    /// <summary>Elements per partition of a chunk: 4 KiB runs of 16-bit data, which saturate the DMA engines (DMA bandwidth guideline, Neuron 2.32).</summary>
    public const int WantedWidth = 2048;

    /// <summary>Elements of a full chunk.</summary>
    public long ChunkElements => (long)Partitions * Width;

    /// <summary>Number of chunks.</summary>
    public long Chunks => (Elements + ChunkElements - 1) / ChunkElements;

    /// <summary>Chunk <paramref name="chunk"/>; the last one spreads what is left.</summary>
    public FlatChunk this[long chunk]
    {
        get
        {
            long elements = Math.Min(ChunkElements, Elements - (chunk * ChunkElements));
            int width = (int)((elements + Partitions - 1) / Partitions);
            return new FlatChunk(chunk * ChunkElements, elements, (int)((elements + width - 1) / width), width);
        }
    }
}

/// <summary>Consecutive elements, a run of <paramref name="Width"/> in each partition; the last partition may hold fewer.</summary>
/// <param name="Start">First element in main memory.</param>
/// <param name="Elements">Elements of the chunk.</param>
/// <param name="Partitions">Partitions used.</param>
/// <param name="Width">Elements per partition.</param>
internal readonly record struct FlatChunk(long Start, long Elements, int Partitions, int Width)
{
    /// <summary>Partitions that hold a full run.</summary>
    public int FullPartitions => (int)(Elements / Width);

    /// <summary>Elements in the partition after those.</summary>
    public int Rest => (int)(Elements % Width);

    /// <summary>Loads exactly the chunk's elements; what is missing in the last partition becomes zero, for engines work on all of it.</summary>
    public void Load(KernelBuilder kernel, StreamId queue, Tile target, MemoryTensor source)
    {
        if (Rest > 0)
        {
            kernel.Memset(StreamId.GpSimd, target[..Partitions, Rest..Width], 0);
        }

        kernel.Load(queue, target[..FullPartitions, ..Width], source.Flat(Start, FullPartitions, Width));
        if (Rest > 0)
        {
            kernel.Load(queue, target[FullPartitions..Partitions, ..Rest], source.Flat(Start + ((long)FullPartitions * Width), 1, Rest));
        }
    }

    /// <summary>Stores exactly the chunk's elements.</summary>
    public void Store(KernelBuilder kernel, MemoryTensor target, Tile source)
    {
        kernel.Store(StreamId.QueueStores, target.Flat(Start, FullPartitions, Width), source[..FullPartitions, ..Width]);
        if (Rest > 0)
        {
            kernel.Store(StreamId.QueueStores, target.Flat(Start + ((long)FullPartitions * Width), 1, Rest), source[FullPartitions..Partitions, ..Rest]);
        }
    }

    /// <summary>The chunk's part of a tile.</summary>
    public TileView Of(Tile tile) => tile[..Partitions, ..Width];
}
