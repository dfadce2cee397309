using Systolic.Numerics;

namespace Systolic.Programs;

/// <summary>What an instruction reads or writes of a tile: consecutive partitions, and the same pattern of elements in each.</summary>
/// <param name="Tile">The tile.</param>
/// <param name="StartPartition">First partition.</param>
/// <param name="Partitions">Number of partitions.</param>
/// <param name="Offset">First element within each partition.</param>
/// <param name="Free">Which elements of a partition, and in which order.</param>
public readonly record struct TileView(Tile Tile, int StartPartition, int Partitions, int Offset, FreePattern Free)
{
    /// <summary>Element type.</summary>
    public DataType Type => Tile.Type;

    /// <summary>Elements per partition.</summary>
    public int Elements => Free.Elements;

    /// <summary>Instructions are ordered as if it were all of the tile: it says only on how much they work, not where, or stands for an array that is filled and freed as one.</summary>
    internal bool IsWhole { get; init; }

    /// <summary>No operand.</summary>
    internal bool IsNone => Partitions == 0;

    /// <summary>The pattern <paramref name="count"/> times, each <paramref name="stride"/> elements after the one before: a new outermost free dimension. A stride of 0 broadcasts.</summary>
    /// <exception cref="InvalidOperationException">The view has three free dimensions already.</exception>
    public TileView Repeat(int count, int stride) => this with { Free = Free.Repeat(count, stride) };

    /// <summary>Each element <paramref name="count"/> times in a row: a new innermost free dimension that stands still.</summary>
    /// <exception cref="InvalidOperationException">The view has three free dimensions already.</exception>
    public TileView Spread(int count) => this with { Free = Free.Spread(count) };

    /// <summary>The view moved by <paramref name="elements"/> within each partition.</summary>
    public TileView Skip(int elements) => this with { Offset = Offset + elements };

    /// <summary>Every <paramref name="step"/>-th element, <paramref name="count"/> in all, of a view with one free dimension.</summary>
    public TileView Every(int step, int count) => this with { Free = FreePattern.Row(count) with { InnerStride = step } };
}
