using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Transposes score tiles (queries on partitions) so that keys lie on partitions: by the DMA engines where they can, else through the array.</summary>
internal sealed class ScoreTranspose(KernelBuilder kernel, DataType type, TileBuffer? banks, int copies)
{
    private readonly TileBuffer _transposed = kernel.Sbuf("transposed scores", AttentionPlan.KeyChunks(kernel.Partitions) * kernel.Partitions * type.ByteSize(), copies);
    private long _written;
    private long _read;

    /// <summary>The next score tile is complete: the DMA engines transpose it at once.</summary>
    public void Written(Tile scores, int rows, int keys)
    {
        if (banks is null)
        {
            kernel.LocalTranspose(_transposed[_written++], scores, rows, (long)keys * type.ByteSize());
        }
    }

    /// <summary>The transpose of the oldest score tile not yet read: chunks of as many keys as the array has rows, side by side; the array transposes it now.</summary>
    public Tile Read(Tile scores, int rows, int keys)
    {
        Tile target = _transposed[_read];
        if (banks is { } psum)
        {
            Tile bank = psum[_read];
            int chunks = 0;
            for (int start = 0; start < keys; start += kernel.Partitions, chunks++)
            {
                kernel.Transpose(bank, scores, rows, Math.Min(kernel.Partitions, keys - start), type);
            }

            kernel.Copy((_read & 1) == 0 ? StreamId.Vector : StreamId.Scalar, target, bank, Math.Min(kernel.Partitions, keys), rows * chunks, type, type);
        }

        _read++;
        return target;
    }
}
