using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <content>
/// Transfers by the DMA engines. Row r of main memory goes to (comes from) partition r mod P of a view of P partitions, in its free elements behind those of
/// the rows before. A transposed row goes to a column: feature f to partition f mod P, in block f div P of the free elements.
/// </content>
public sealed partial class KernelBuilder
{
    /// <summary>Main memory to SBUF, with <paramref name="convert"/> to the type of the tile on the way.</summary>
    public void Load(StreamId queue, in TileView target, in MemoryView source, bool convert = false)
    {
        RequireRows(target, source, convert);
        Move(queue, Opcode.Load, source, new Operation { Target = target });
    }

    /// <summary>Main memory to SBUF, transposed element by element: each row becomes a column. Only where the DMA engines can.</summary>
    public void LoadTransposed(StreamId queue, in TileView target, in MemoryView source)
    {
        RequireTransposes(Machine.Dma.MemoryTransposeShare, "memoryTransposeShare");
        RequireInside(target, nameof(target));
        RequireType(target, source);
        RequireTransposed(target, source.Pattern.AllRows, source.Pattern.RowElements);
        Move(queue, Opcode.LoadTransposed, source, new Operation { Target = target });
    }

    /// <summary>SBUF to main memory.</summary>
    public void Store(StreamId queue, in MemoryView target, in TileView source)
    {
        RequireRows(source, target);
        Move(queue, Opcode.Store, target, new Operation { First = source });
    }

    /// <summary>Main memory to SBUF: each partition gets the row of <paramref name="source"/> that its index names, counted in the rows of the view.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="target">A row for each partition.</param>
    /// <param name="indices">One index for each partition.</param>
    /// <param name="source">All rows that an index can name.</param>
    /// <param name="convert">To the type of the tile on the way.</param>
    public void Gather(StreamId queue, in TileView target, in TileView indices, in MemoryView source, bool convert = false)
    {
        RequireIndexed(target, indices, source, convert);
        Move(queue, Opcode.Gather, source, new Operation { Target = target, Second = indices }, target.Partitions);
    }

    /// <summary>SBUF to main memory: each partition goes to the row of <paramref name="target"/> that its index names; of equal indices the highest partition stays, and index -1 is skipped (out of bounds, nki.isa.oob_mode.skip).</summary>
    public void Scatter(StreamId queue, in MemoryView target, in TileView source, in TileView indices)
    {
        RequireIndexed(source, indices, target);
        Move(queue, Opcode.Scatter, target, new Operation { First = source, Second = indices }, source.Partitions);
    }

    /// <summary>Main memory to main memory.</summary>
    public void MemoryCopy(StreamId queue, in MemoryView target, in MemoryView source)
    {
        RequireAlike(target, source);
        Move(queue, Opcode.MemoryCopy, source, default, 0, target);
    }

    /// <summary>The sum of several parts of main memory, element by element in fp32, to another part by the DMA engines.</summary>
    /// <remarks>Sources are not ordered after stores.</remarks>
    public void MemorySum(StreamId queue, in MemoryView target, params ReadOnlySpan<MemoryView> sources)
    {
        RequireQueue(queue);
        Require(sources.Length > 1, "tensors to add", sources.Length, int.MaxValue);
        int first = -1;
        foreach (MemoryView source in sources)
        {
            RequireAlike(target, source);
            RequireInside(source);
            int index = _memory.Add(source);
            first = first < 0 ? index : first;
        }

        _memory.Add(target);
        Instruction op = Run(Opcode.MemorySum, target.Pattern.Runs, (long)target.Pattern.Elements * target.Tensor.Type.ByteSize());
        Emit(queue, op with { Columns = sources.Length }, default, first, null, target.Tensor);
    }

    private void RequireAlike(in MemoryView target, in MemoryView source)
    {
        if (source.Tensor.Type != target.Tensor.Type || source.Pattern.AllRows != target.Pattern.AllRows || source.Pattern.RowElements != target.Pattern.RowElements)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"{_name}: a copy from {source.Pattern.AllRows} x {source.Pattern.RowElements} {source.Tensor.Type.Label()} of {source.Tensor.Name} to {target.Pattern.AllRows} x {target.Pattern.RowElements} {target.Tensor.Type.Label()} of {target.Tensor.Name}: type, rows and elements must be equal."), nameof(target));
        }

        RequireInside(target);
    }

    /// <summary>SBUF to SBUF by the DMA engines, partition by partition.</summary>
    public void LocalCopy(in TileView target, in TileView source)
    {
        RequireInside(target, nameof(target));
        RequireInside(source, nameof(source));
        RequireEqual(source, target, nameof(source));
        if (source.Type != target.Type)
        {
            throw new ArgumentException($"{_name}: found a copy from {source.Type.Label()} to {target.Type.Label()}; transfers do not convert.", nameof(target));
        }

        Emit(StreamId.QueueLocal, Run(Opcode.LocalCopy, source.Partitions, (long)source.Free.Elements * source.Type.ByteSize()), new Operation { Target = target, First = source });
    }

    /// <summary>Sends <paramref name="source"/> to another core of the chip and receives what that core sends in <paramref name="target"/>: signals, then the bytes by the DMA engines.</summary>
    /// <remarks>Timed only: one core does not know the other's values.</remarks>
    public void SendReceive(in TileView target, in TileView source)
    {
        Emit(StreamId.Exchange, new Instruction { Opcode = Opcode.Barrier }, new Operation { Target = target, First = source });
        LocalCopy(target, source);
    }

    /// <summary>SBUF to SBUF, transposed element by element by the DMA engines.</summary>
    public void LocalTranspose(in TileView target, in TileView source)
    {
        RequireTransposes(Machine.Dma.LocalTransposeShare, "localTransposeShare");
        RequireInside(target, nameof(target));
        RequireInside(source, nameof(source));
        RequireTransposed(target, source.Partitions, source.Free.Elements);
        Emit(StreamId.QueueLocal, Run(Opcode.LocalTranspose, source.Partitions, (long)source.Free.Elements * source.Type.ByteSize()), new Operation { Target = target, First = source });
    }

    private void Move(StreamId queue, Opcode opcode, in MemoryView view, in Operation operation, int rows = 0, MemoryView? target = null)
    {
        RequireQueue(queue);
        RequireInside(view);
        MemoryPattern pattern = view.Pattern;
        int runs = rows > 0 ? rows * pattern.Blocks : pattern.Runs;
        int memory = _memory.Add(view);
        if (target is { } copy)
        {
            _memory.Add(copy);
        }

        bool reads = opcode.ReadsMemory();
        Emit(queue, Run(opcode, runs, (long)pattern.Elements * view.Tensor.Type.ByteSize()), operation, memory, reads ? view.Tensor : null, reads ? target?.Tensor : view.Tensor);
    }

    /// <summary>A transfer whose place in main memory is not said.</summary>
    internal void Move(StreamId queue, Opcode opcode, int runs, long runBytes, in Operation operation)
    {
        RequireQueue(queue);
        if (opcode is Opcode.LoadTransposed or Opcode.LocalTranspose)
        {
            RequireTransposes(opcode == Opcode.LocalTranspose ? Machine.Dma.LocalTransposeShare : Machine.Dma.MemoryTransposeShare, opcode == Opcode.LocalTranspose ? "localTransposeShare" : "memoryTransposeShare");
        }

        Emit(queue, Run(opcode, runs, runBytes), operation);
    }

    private Instruction Run(Opcode opcode, int runs, long runBytes)
    {
        Require(runs > 0, "runs", runs, int.MaxValue);
        Require(runBytes is > 0 and <= int.MaxValue, "bytes per run", runBytes, int.MaxValue);
        return new Instruction { Opcode = opcode, Partitions = runs, Free = (int)runBytes, Descriptors = opcode.IsDynamic() && Descriptors == DescriptorSource.Compiled ? AtRunTime : Descriptors };
    }

    /// <summary>What writes descriptors whose addresses the program computes.</summary>
    private DescriptorSource AtRunTime => Machine.Dma.DescriptorBlocks > 0 ? DescriptorSource.Hardware : DescriptorSource.Software;

    private void RequireRows(in TileView tile, in MemoryView memory, bool convert = false)
    {
        RequireInside(tile, nameof(tile));
        RequireType(tile, memory, convert);
        int rows = memory.Pattern.AllRows, wraps = (rows + tile.Partitions - 1) / tile.Partitions;
        if (tile.Free.Elements != wraps * memory.Pattern.RowElements || rows < tile.Partitions)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"{_name}: {rows} rows of {memory.Pattern.RowElements} elements of {memory.Tensor.Name} do not fill {tile.Partitions} partitions of {tile.Elements} elements of {BufferOf(tile)}."), nameof(tile));
        }
    }

    private void RequireTransposed(in TileView target, int rows, int features)
    {
        int blocks = (features + target.Partitions - 1) / target.Partitions;
        if (target.Free.Elements != blocks * rows || features < target.Partitions)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"{_name}: {rows} rows of {features} elements, transposed, do not fill {target.Partitions} partitions of {target.Elements} elements of {BufferOf(target)}."), nameof(target));
        }
    }

    private void RequireIndexed(in TileView tile, in TileView indices, in MemoryView memory, bool convert = false)
    {
        RequireInside(tile, nameof(tile));
        RequireInside(indices, nameof(indices));
        RequireType(tile, memory, convert);
        RequireElements(indices, 1);
        if (indices.Partitions != tile.Partitions || tile.Free.Elements != memory.Pattern.RowElements)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"{_name}: {indices.Partitions} indices of rows of {memory.Pattern.RowElements} elements of {memory.Tensor.Name} do not match {tile.Partitions} partitions of {tile.Elements} elements of {BufferOf(tile)}."), nameof(tile));
        }
    }

    private void RequireType(in TileView tile, in MemoryView memory, bool convert = false)
    {
        if (!convert && tile.Type != memory.Tensor.Type)
        {
            throw new ArgumentException($"{_name}: {BufferOf(tile)} is {tile.Type.Label()}, {memory.Tensor.Name} {memory.Tensor.Type.Label()}; transfers do not convert. Ask for it where a load can.", nameof(tile));
        }
    }

    private void RequireInside(in MemoryView view)
    {
        if (view.Offset < 0 || view.Offset + view.Pattern.Highest >= view.Tensor.Elements)
        {
            throw new ArgumentOutOfRangeException(nameof(view), FormattableString.Invariant(
                $"{_name}: a transfer moves elements {view.Offset} to {view.Offset + view.Pattern.Highest} of {view.Tensor.Name}, which has {view.Tensor.Elements}."));
        }
    }

    private void RequireTransposes(double share, string parameter)
    {
        if (share == 0)
        {
            throw new CapacityException($"{_name}: the DMA engines of {Machine.Name} cannot transpose: dma.{parameter} is 0. Transpose through the array.");
        }
    }

    private static void RequireQueue(StreamId queue)
    {
        if (!queue.IsQueue())
        {
            throw new ArgumentException($"Found stream {queue.Label()}, expected a DMA queue.", nameof(queue));
        }
    }
}
