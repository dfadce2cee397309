using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Appends keys and values to the cache, both as [tokens, features]: attention transposes keys when it loads them.</summary>
internal static class KvAppendKernel
{
    /// <summary>Lowers the copies of keys and values.</summary>
    public static Lowering Lower(KvAppend op, Accelerator machine) => Placement.Cut(op.Rows, machine.Sbuf.Partitions, 2, rows =>
    {
        var kernel = new KernelBuilder(machine, op.Name);
        var tiles = new RowTiling(rows, kernel.Partitions);
        for (long tile = 0; tile < tiles.Tiles; tile++)
        {
            kernel.MemoryCopy(StreamId.QueueWeights, tiles[tile], op.Columns * op.Type.ByteSize());
            kernel.MemoryCopy(StreamId.QueueStores, tiles[tile], op.Columns * op.Type.ByteSize());
        }

        return (kernel.Build(), "memory to memory");
    });
}
