using Systolic.Hardware;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Appends keys and values to the cache, both as [tokens, features]: attention transposes keys when it loads them.</summary>
/// <remarks>The rows of the cache that the new tokens take are a tensor of their own: the operator does not say where in the cache they lie.</remarks>
internal static class KvAppendKernel
{
    /// <summary>Lowers the copies of keys and values.</summary>
    public static Lowering Lower(KvAppend op, Accelerator machine, bool values) => Placement.Cut(op.Rows, machine.Sbuf.Partitions, 2, rows =>
    {
        var kernel = new KernelBuilder(machine, op.Name, values);
        var tiles = new RowTiling(rows, kernel.Partitions);
        MemoryTensor newKeys = kernel.Input("new keys", rows, op.Columns, op.Type), newValues = kernel.Input("new values", rows, op.ValueColumns, op.Type);
        MemoryTensor keys = kernel.Output("keys", rows, op.Columns, op.Type), cached = kernel.Output("values", rows, op.ValueColumns, op.Type);
        for (long tile = 0; tile < tiles.Tiles; tile++)
        {
            kernel.MemoryCopy(StreamId.QueueSmall, keys.Part(tiles.Start(tile), tiles[tile]), newKeys.Part(tiles.Start(tile), tiles[tile]));
            kernel.MemoryCopy(StreamId.QueueStores, cached.Part(tiles.Start(tile), tiles[tile]), newValues.Part(tiles.Start(tile), tiles[tile]));
        }

        return (kernel.Build(), "memory to memory");
    });
}
