using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Transposes score tiles (queries on partitions) so that keys lie on partitions: by the DMA engines where they can, else through the array.</summary>
internal sealed class ScoreTranspose(KernelBuilder kernel, DataType type, TileBuffer? banks, int copies)
{
    private readonly TileBuffer _transposed = kernel.Sbuf("transposed scores", AttentionPlan.TileKeys * type.ByteSize(), copies);
    private long _round;

    /// <summary>Writes the transpose of <paramref name="rows"/> x <paramref name="keys"/> and returns its tile: chunks of 128 keys side by side.</summary>
    public Tile Transpose(Tile scores, int rows, int keys)
    {
        Tile target = _transposed[_round++];
        if (banks is null)
        {
            kernel.LocalTranspose(target, scores, rows, (long)keys * type.ByteSize());
            return target;
        }

        Tile bank = banks[_round];
        int chunks = 0;
        for (int start = 0; start < keys; start += kernel.Partitions, chunks++)
        {
            kernel.Transpose(bank, scores, rows, Math.Min(kernel.Partitions, keys - start), type);
        }

        kernel.Copy((_round & 1) == 0 ? StreamId.Vector : StreamId.Scalar, target, bank, Math.Min(kernel.Partitions, keys), rows * chunks, type, type);
        return target;
    }
}
