namespace Systolic.Programs;

/// <summary>The two on-chip memories of a core.</summary>
public enum MemorySpace : byte
{
    /// <summary>The software-managed scratchpad.</summary>
    Sbuf,

    /// <summary>The accumulator memory of the array.</summary>
    Psum,
}

/// <summary>A place in on-chip memory that instructions read and write as a whole.</summary>
/// <param name="Index">Its number in <see cref="Program.Buffers"/>.</param>
/// <param name="Space">The memory it lies in.</param>
public readonly record struct Tile(int Index, MemorySpace Space);

/// <summary>Storage of one or several equal tiles, used in turn.</summary>
/// <param name="Name">What it holds, as shown when memory runs out.</param>
/// <param name="Space">The memory it lies in.</param>
/// <param name="BytesPerPartition">Size of one tile in each partition.</param>
/// <param name="FirstTile">Index of its first tile.</param>
/// <param name="Copies">Tiles it holds; two or more let a load overlap the use before it.</param>
public sealed record TileBuffer(string Name, MemorySpace Space, long BytesPerPartition, int FirstTile, int Copies)
{
    /// <summary>The tile of round <paramref name="round"/>: rounds take the copies in turn.</summary>
    public Tile this[long round] => new(FirstTile + (int)(round % Copies), Space);
}
