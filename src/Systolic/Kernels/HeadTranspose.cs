using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Transposes rows of a head (tokens on partitions) through the array, so that the head dimension lies on partitions: a slice of 128 features after the other.</summary>
internal sealed class HeadTranspose(KernelBuilder kernel, Attention op, AttentionPlan plan, TileBuffer banks)
{
    private long _round;

    /// <summary>Writes <paramref name="chunks"/> blocks of <paramref name="rows"/> tokens from <paramref name="source"/> side by side to <paramref name="target"/>.</summary>
    public void Write(Tile target, Tile source, int rows, int chunks)
    {
        for (int slice = 0; slice < plan.HeadSlices; slice++)
        {
            int columns = (int)Math.Min(plan.Partitions, op.HeadDim - ((long)slice * plan.Partitions));
            Tile bank = banks[_round++];
            for (int chunk = 0; chunk < chunks; chunk++)
            {
                kernel.Transpose(bank, source, rows, columns, op.Type);
            }

            kernel.Copy(StreamId.Scalar, target, bank, columns, rows * chunks, op.Type, op.Type);
        }
    }
}
