using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Simulation;

/// <summary>Values of all tiles, partition by partition; a tile takes storage when it is first written.</summary>
internal sealed class TileMemory(Program program)
{
    private readonly float[]?[] _tiles = new float[]?[program.Tiles];
    private readonly long[] _versions = new long[program.Tiles];

    /// <summary>Counts the writes to a tile.</summary>
    public long Version(in Tile tile) => _versions[tile.Index];

    /// <summary>All elements of partition <paramref name="partition"/> of the view's tile.</summary>
    public Span<float> Partition(scoped in TileView view, int partition) =>
        Storage(view.Tile).AsSpan((view.StartPartition + partition) * view.Tile.Elements, view.Tile.Elements);

    /// <summary>All elements from the view's first partition on.</summary>
    public Span<float> From(scoped in TileView view) => Storage(view.Tile).AsSpan(view.StartPartition * view.Tile.Elements);

    /// <summary>Notes that a tile is written.</summary>
    public void Touch(in Tile tile) => _versions[tile.Index]++;

    /// <summary>The elements of one partition in the view's order; <paramref name="buffer"/> is used where they do not lie side by side.</summary>
    public ReadOnlySpan<float> Read(scoped in TileView view, int partition, Span<float> buffer)
    {
        ReadOnlySpan<float> all = Partition(view, partition);
        ReadOnlySpan<float> values = all.Slice(view.Free.IsRow ? view.Offset : 0, view.Free.IsRow ? view.Free.Elements : 0);
        if (!view.Free.IsRow)
        {
            Gather(view, all, buffer);
            values = buffer[..view.Free.Elements];
        }

        return Unwritten.In(values) ? throw new UnwrittenException(Describe(view, partition)) : values;
    }

    /// <summary>The single element of one partition.</summary>
    public float ReadOne(in TileView view, int partition)
    {
        float value = Partition(view, partition)[view.Offset];
        return Unwritten.Is(value) ? throw new UnwrittenException(Describe(view, partition)) : value;
    }

    /// <summary>One element of one partition, in the view's order.</summary>
    public float Element(in TileView view, int partition, int index)
    {
        float value = Partition(view, partition)[view.Offset + view.Free[index]];
        return Unwritten.Is(value) ? throw new UnwrittenException(Describe(view, partition)) : value;
    }

    /// <summary>Rounds <paramref name="values"/> to the tile's type and writes them in the view's order; the values are overwritten.</summary>
    public void Write(in TileView view, int partition, Span<float> values)
    {
        Rounding.Round(values, values, view.Type);
        Place(view, partition, values);
    }

    /// <summary>Writes values that are of the tile's type already.</summary>
    public void Place(in TileView view, int partition, ReadOnlySpan<float> values)
    {
        Span<float> all = Partition(view, partition);
        if (view.Free.IsRow)
        {
            values.CopyTo(all[view.Offset..]);
            return;
        }

        FreePattern free = view.Free;
        int index = 0;
        for (int outer = 0; outer < free.Outer; outer++)
        {
            for (int middle = 0; middle < free.Middle; middle++)
            {
                int at = view.Offset + (outer * free.OuterStride) + (middle * free.MiddleStride);
                for (int inner = 0; inner < free.Inner; inner++, at += free.InnerStride)
                {
                    all[at] = values[index++];
                }
            }
        }
    }

    /// <summary>"partition 3 of x, tile 17".</summary>
    public string Describe(in TileView view, int partition)
    {
        Tile tile = view.Tile;
        string name = program.Buffers.First(buffer => tile.Index >= buffer.FirstTile && tile.Index < buffer.FirstTile + buffer.Copies).Name;
        return FormattableString.Invariant($"partition {view.StartPartition + partition} of {name} (tile {tile.Index})");
    }

    private static void Gather(scoped in TileView view, ReadOnlySpan<float> all, Span<float> buffer)
    {
        FreePattern free = view.Free;
        int index = 0;
        for (int outer = 0; outer < free.Outer; outer++)
        {
            for (int middle = 0; middle < free.Middle; middle++)
            {
                int at = view.Offset + (outer * free.OuterStride) + (middle * free.MiddleStride);
                for (int inner = 0; inner < free.Inner; inner++, at += free.InnerStride)
                {
                    buffer[index++] = all[at];
                }
            }
        }
    }

    private float[] Storage(in Tile tile)
    {
        ref float[]? storage = ref _tiles[tile.Index];
        if (storage is null)
        {
            storage = GC.AllocateUninitializedArray<float>(tile.Partitions * tile.Elements);
            Unwritten.Fill(storage);
        }

        return storage;
    }
}
