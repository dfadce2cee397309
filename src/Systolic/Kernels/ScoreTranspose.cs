using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Transposes score tiles (queries on partitions) so that keys lie on partitions: by the DMA engines where they can, else through the array.</summary>
internal sealed class ScoreTranspose(KernelBuilder kernel, DataType type, TileBuffer? banks, int copies)
{
    private readonly TileBuffer _transposed = kernel.Sbuf("transposed scores", AttentionPlan.KeyChunks(kernel.Partitions) * kernel.Partitions, type, copies);
    private long _written;
    private long _read;

    /// <summary>The next score tile is complete: the DMA engines transpose it at once.</summary>
    public void Written(in TileView scores)
    {
        if (banks is null)
        {
            int keys = scores.Elements, partitions = Math.Min(kernel.Partitions, keys), chunks = (keys + partitions - 1) / partitions;
            kernel.LocalTranspose(_transposed[_written++][..partitions, ..(chunks * scores.Partitions)], scores);
        }
    }

    /// <summary>The transpose of the oldest score tile not yet read: chunks of as many keys as the array has rows, side by side; the array transposes it now.</summary>
    public Tile Read(in TileView scores)
    {
        Tile target = _transposed[_read];
        if (banks is { } psum)
        {
            Transpose(psum[_read], target, scores);
        }

        _read++;
        return target;
    }

    private void Transpose(Tile bank, Tile target, in TileView scores)
    {
        (int rows, int keys) = (scores.Partitions, scores.Elements);
        for (int start = 0; start < keys; start += kernel.Partitions)
        {
            int count = Math.Min(kernel.Partitions, keys - start), at = start / kernel.Partitions * rows;
            kernel.Transpose(bank[..count, at..(at + rows)], scores.Columns(start, count));
        }

        StreamId engine = (_read & 1) == 0 ? StreamId.Vector : StreamId.Scalar;
        int whole = keys / kernel.Partitions * rows, rest = keys % kernel.Partitions;
        if (whole > 0)
        {
            kernel.Copy(engine, target[.., ..whole], bank[.., ..whole]);
        }

        if (rest > 0)
        {
            kernel.Copy(engine, target[..rest, whole..(whole + rows)], bank[..rest, whole..(whole + rows)]);
        }
    }
}
