using Systolic.Numerics;

namespace Systolic.Programs;

/// <summary>The two on-chip memories of a core.</summary>
public enum MemorySpace : byte
{
    /// <summary>The software-managed scratchpad.</summary>
    Sbuf,

    /// <summary>The accumulator memory of the array.</summary>
    Psum,
}

/// <summary>A place in on-chip memory: as many elements of one type in every partition. Instructions read and write views of it.</summary>
/// <param name="Index">Its number among the tiles of <see cref="Program.Buffers"/>.</param>
/// <param name="Space">The memory it lies in.</param>
/// <param name="Type">Element type.</param>
/// <param name="Partitions">Partitions of the memory.</param>
/// <param name="Elements">Elements in each partition.</param>
public readonly record struct Tile(int Index, MemorySpace Space, DataType Type, int Partitions, int Elements)
{
    /// <summary>Some partitions and some consecutive elements of each, such as <c>tile[..rows, ..columns]</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Outside the tile, or empty.</exception>
    public TileView this[Range partitions, Range elements]
    {
        get
        {
            (int partition, int height) = partitions.GetOffsetAndLength(Partitions);
            (int element, int width) = elements.GetOffsetAndLength(Elements);
            return new TileView(this, partition, height, element, FreePattern.Row(width));
        }
    }

    /// <summary>The whole tile.</summary>
    public static implicit operator TileView(Tile tile) => tile.ToTileView();

    /// <summary>The whole tile.</summary>
    public TileView ToTileView() => new(this, 0, Partitions, 0, FreePattern.Row(Elements));
}

/// <summary>Storage of one or several equal tiles, used in turn.</summary>
/// <param name="Name">What it holds, as shown when memory runs out.</param>
/// <param name="Space">The memory it lies in.</param>
/// <param name="Type">Element type.</param>
/// <param name="Partitions">Partitions of the memory.</param>
/// <param name="Elements">Elements of one tile in each partition.</param>
/// <param name="FirstTile">Index of its first tile.</param>
/// <param name="Copies">Tiles it holds; two or more let a load overlap the use before it.</param>
public sealed record TileBuffer(string Name, MemorySpace Space, DataType Type, int Partitions, int Elements, int FirstTile, int Copies)
{
    /// <summary>Where its first tile starts in each partition, in bytes.</summary>
    internal long Address { get; init; }

    /// <summary>Where the tile behind its last one would start.</summary>
    internal long End => Start(Copies);

    /// <summary>Where a tile starts.</summary>
    internal long Start(int copy) => Address + (copy * BytesPerPartition);

    /// <summary>Size of one tile in each partition.</summary>
    public long BytesPerPartition => (long)Elements * Type.ByteSize();

    /// <summary>The tile of round <paramref name="round"/>: rounds take the copies in turn.</summary>
    public Tile this[long round] => new(FirstTile + (int)(round % Copies), Space, Type, Partitions, Elements);
}
