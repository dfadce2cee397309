using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>An exchange between cores that share main memory: a signal makes the partial sums visible, then each rank adds its rows of all of them.</summary>
/// <remarks>What a rank reads and writes: its ceil(rows / ranks) rows of every rank's partial sum; the same rows once. A gather moves nothing.</remarks>
internal sealed class CollectiveKernel
{
    private readonly Collective _op;
    private readonly KernelBuilder _kernel;
    private readonly FlatTiling _chunks;
    private readonly TileBuffer _sum;
    private readonly TileBuffer _partial;
    private readonly MemoryTensor[] _partials;
    private readonly MemoryTensor _output;

    private CollectiveKernel(Collective op, Accelerator machine, long elements)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name);
        int width = ChunkWidth(op, _kernel);
        _chunks = new FlatTiling(elements, _kernel.Partitions, width);
        _sum = _kernel.Sbuf("sum", width, op.Type, TilePipeline.Copies);
        _partial = _kernel.Sbuf("partial sum", width, op.Type, TilePipeline.Copies);
        _partials = [.. Enumerable.Range(0, (int)op.Ranks).Select(rank => _kernel.Input(FormattableString.Invariant($"partial sum {rank}"), 1, elements, op.Type))];
        _output = _kernel.Output("output", 1, elements, op.Type);
    }

    /// <summary>The program of one rank; a single rank has nothing to exchange.</summary>
    /// <exception cref="CapacityException">There are more ranks than cores.</exception>
    public static Lowering Lower(Collective op, Accelerator machine)
    {
        if (op.Ranks > machine.Cores)
        {
            throw new CapacityException(FormattableString.Invariant(
                $"{op.Name}: found {op.Ranks} ranks, expected at most the {machine.Cores} cores of {machine.Name}: ranks exchange through the main memory of one chip."));
        }

        var sizing = new KernelBuilder(machine, op.Name);
        if (op.Ranks == 1)
        {
            return Lowering.Of(sizing.Build(), "one rank");
        }

        if (op.Function is CollectiveFunction.AllGather or CollectiveFunction.AllToAll)
        {
            sizing.Barrier(sizing.Sbuf("signal", 1, DataType.Int32)[0]);
            return Lowering.Of(sizing.Build(), "signal only: main memory is shared");
        }

        long share = (op.Rows + op.Ranks - 1) / op.Ranks * op.Columns;
        long chunk = (long)sizing.Partitions * ChunkWidth(op, sizing);
        return Placement.Cut(share, chunk, 4L * op.Ranks, elements => new CollectiveKernel(op, machine, elements).Write());
    }

    private static int ChunkWidth(Collective op, KernelBuilder kernel) =>
        Placement.Width(kernel, op.Name, FlatTiling.WantedWidth, 2 * op.Type.ByteSize());

    private (Program, string) Write()
    {
        // One queue loads everything, so the first load's wait holds back all.
        _kernel.Barrier(_sum[0]);
        TilePipeline.Write(_chunks.Chunks, TilePipeline.Copies, Reduce);
        if (_op.Function == CollectiveFunction.AllReduce)
        {
            _kernel.Barrier(_sum[_chunks.Chunks - 1]);
        }

        return (_kernel.Build(), FormattableString.Invariant($"{_op.Ranks} partial sums, chunks of {_kernel.Partitions} x {_chunks.Width} elements, {TilePipeline.Copies} buffers"));
    }

    private void Reduce(long index)
    {
        FlatChunk chunk = _chunks[index];
        Tile sum = _sum[index];
        chunk.Load(_kernel, StreamId.QueueActivations, sum, _partials[0]);
        for (int rank = 1; rank < _op.Ranks; rank++)
        {
            Tile partial = _partial[(index * (_op.Ranks - 1L)) + rank - 1];
            chunk.Load(_kernel, StreamId.QueueActivations, partial, _partials[rank]);
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, chunk.Of(sum), chunk.Of(sum), chunk.Of(partial));
        }

        chunk.Store(_kernel, _output, sum);
    }
}
