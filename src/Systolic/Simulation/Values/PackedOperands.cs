using System.Runtime.InteropServices;
using Systolic.Programs;

namespace Systolic.Simulation;

/// <summary>Operands of products in panels of <paramref name="lanes"/> columns, row of K after row of K, padded with zeros; kept while their tile does not change.</summary>
internal sealed class PackedOperands(TileMemory tiles, int lanes)
{
    private readonly Dictionary<TileView, (long Version, float[] Values)> _packed = [];
    private float[] _row = [];

    /// <summary>The panels of an operand of <paramref name="k"/> rows and <paramref name="width"/> columns.</summary>
    public float[] Pack(in TileView view, int k, int width)
    {
        long version = tiles.Version(view.Tile);
        ref (long Version, float[] Values) entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_packed, view, out bool found);
        int length = (width + lanes - 1) / lanes * lanes * k;
        if (!found || entry.Version != version || entry.Values.Length != length)
        {
            float[] values = found && entry.Values.Length == length ? entry.Values : new float[length];
            Fill(view, k, width, values);
            entry = (version, values);
        }

        return entry.Values;
    }

    private void Fill(in TileView view, int k, int width, float[] values)
    {
        if (_row.Length < view.Free.Elements)
        {
            _row = new float[view.Free.Elements];
        }

        int blocks = view.Free.Elements / width, index = 0;
        for (int partition = 0; partition < view.Partitions; partition++)
        {
            int valid = Math.Min(blocks, (k - partition + view.Partitions - 1) / view.Partitions);
            TileView rows = valid == blocks ? view : view with { Free = view.Free with { Middle = valid } };
            ReadOnlySpan<float> row = tiles.Read(rows, partition, _row);
            for (int block = 0; block < valid; block++, index++)
            {
                Place(row.Slice(block * width, width), values, index, k);
            }
        }
    }

    private void Place(ReadOnlySpan<float> row, float[] values, int index, int k)
    {
        for (int start = 0; start < row.Length; start += lanes)
        {
            Span<float> target = values.AsSpan((start * k) + (index * lanes), lanes);
            ReadOnlySpan<float> part = row[start..Math.Min(row.Length, start + lanes)];
            part.CopyTo(target);
            target[part.Length..].Clear();
        }
    }
}
