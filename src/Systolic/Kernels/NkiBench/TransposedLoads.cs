using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Loads rows of a tensor of main memory and transposes them through the array: 128 columns of up to 512 rows fill a PSUM bank, which is one tile of the result.</summary>
internal sealed class TransposedLoads(KernelBuilder kernel, ArrayBanks banks, MemoryTensor tensor, int width, int copies)
{
    private readonly TileBuffer _staging = kernel.Sbuf("rows to transpose of " + tensor.Name, width, DataType.Fp32, copies);
    private long _staged;

    /// <summary>Columns from <paramref name="column"/> on of rows from <paramref name="row"/> on; square i goes to a view of 128 partitions.</summary>
    public void Load(long row, int rows, long column, int columns, Func<int, TileView> target)
    {
        int height = kernel.Partitions, chunks = rows / height;
        for (int start = 0; start < columns; start += width)
        {
            long first = _staged;
            for (int chunk = 0; chunk < chunks; chunk++)
            {
                kernel.Load(StreamId.QueueActivations, _staging[_staged++], tensor.Part(row + ((long)chunk * height), height, column + start, width));
            }

            for (int offset = 0; offset < width; offset += height)
            {
                banks.Transpose(target((start + offset) / height), [.. Enumerable.Range(0, chunks).Select(chunk => _staging[first + chunk][.., offset..(offset + height)])]);
            }
        }
    }
}
