using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
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
            float[] values = found && entry.Values.Length == length ? entry.Values : GC.AllocateUninitializedArray<float>(length);
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

    /// <summary>A row of K to its place in every panel.</summary>
    private void Place(ReadOnlySpan<float> row, float[] values, int index, int k)
    {
        int whole = row.Length / lanes, rest = row.Length % lanes;
        ref float source = ref MemoryMarshal.GetReference(row);
        ref float target = ref values[index * lanes];
        for (int panel = 0; panel < whole; panel++)
        {
            for (int lane = 0; lane < lanes; lane += Vector256<float>.Count)
            {
                Vector256.LoadUnsafe(ref source, (nuint)lane).StoreUnsafe(ref target, (nuint)lane);
            }

            source = ref Unsafe.Add(ref source, lanes);
            target = ref Unsafe.Add(ref target, k * lanes);
        }

        if (rest > 0)
        {
            Span<float> last = values.AsSpan((whole * k * lanes) + (index * lanes), lanes);
            row[^rest..].CopyTo(last);
            last[rest..].Clear();
        }
    }
}
