using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>An AdamW step on flat data: gradient in the main type; master weights and both moments in fp32, updated in place.</summary>
internal sealed class AdamWKernel
{
    private const int Instructions = 32;

    private readonly DataType _type;
    private readonly KernelBuilder _kernel;
    private readonly FlatTiling _chunks;
    private readonly TileBuffer _gradient;
    private readonly TileBuffer _master;
    private readonly TileBuffer _first;
    private readonly TileBuffer _second;
    private readonly TileBuffer _step;
    private readonly TileBuffer _square;

    private AdamWKernel(AdamW op, Accelerator machine, long elements)
    {
        _type = op.Type;
        _kernel = new KernelBuilder(machine, op.Name);
        int width = ChunkWidth(op, _kernel);
        _chunks = new FlatTiling(elements, _kernel.Partitions, width);
        _gradient = _kernel.Sbuf("gradient", (long)width * op.Type.ByteSize(), TilePipeline.Copies);
        _master = State("master weights", width);
        _first = State("first moment", width);
        _second = State("second moment", width);
        _step = State("step", width);
        _square = State("squared gradient", width);
    }

    /// <summary>Spreads the elements over all partitions, whatever the rows.</summary>
    public static Lowering Lower(AdamW op, Accelerator machine)
    {
        var sizing = new KernelBuilder(machine, op.Name);
        long chunk = (long)sizing.Partitions * ChunkWidth(op, sizing);
        return Placement.Cut(checked(op.Rows * op.Columns), chunk, Instructions, elements => new AdamWKernel(op, machine, elements).Write());
    }

    private static int ChunkWidth(AdamW op, KernelBuilder kernel) =>
        Placement.Width(kernel, op.Name, FlatTiling.WantedWidth, op.Type.ByteSize() + (5 * sizeof(float)));

    private TileBuffer State(string name, int width) => _kernel.Sbuf(name, (long)width * sizeof(float), TilePipeline.Copies);

    private (Program, string) Write()
    {
        TilePipeline.Write(_chunks.Chunks, TilePipeline.Copies, Moments, Direction, Update);
        return (_kernel.Build(), FormattableString.Invariant($"chunks of {_kernel.Partitions} x {_chunks.Width} elements, {TilePipeline.Copies} buffers"));
    }

    /// <summary>m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2. Scale and square on ScalarE, sums on VectorE, decay of v on GpSimdE.</summary>
    private void Moments(long index)
    {
        FlatChunk chunk = _chunks[index];
        (int partitions, int width) = (chunk.Partitions, chunk.Width);
        chunk.Load(_kernel, StreamId.QueueActivations, _gradient[index], _type);
        chunk.Load(_kernel, StreamId.QueueWeights, _first[index], DataType.Fp32);
        chunk.Load(_kernel, StreamId.QueueSmall, _second[index], DataType.Fp32);
        chunk.Load(_kernel, StreamId.QueueActivations, _master[index], DataType.Fp32);
        _kernel.Activation(ActivationFunction.Identity, _step[index], _gradient[index], null, partitions, width, _type, DataType.Fp32);
        _kernel.Activation(ActivationFunction.Square, _square[index], _gradient[index], null, partitions, width, _type, DataType.Fp32);
        _kernel.TensorScalar(StreamId.GpSimd, _second[index], _second[index], null, partitions, width, DataType.Fp32, DataType.Fp32);
        _kernel.ScalarTensorTensor(_first[index], _first[index], _step[index], partitions, width, DataType.Fp32, DataType.Fp32);
        _kernel.TensorTensor(StreamId.Vector, _second[index], _second[index], _square[index], partitions, width, DataType.Fp32, DataType.Fp32);
    }

    /// <summary>u = m lr / sqrt(v): the root on ScalarE with the bias corrections in its scale, the product on GpSimdE.</summary>
    private void Direction(long index)
    {
        FlatChunk chunk = _chunks[index];
        _kernel.Activation(ActivationFunction.Rsqrt, _square[index], _second[index], null, chunk.Partitions, chunk.Width, DataType.Fp32, DataType.Fp32);
        _kernel.TensorTensor(StreamId.GpSimd, _step[index], _first[index], _square[index], chunk.Partitions, chunk.Width, DataType.Fp32, DataType.Fp32);
        chunk.Store(_kernel, _first[index], DataType.Fp32);
        chunk.Store(_kernel, _second[index], DataType.Fp32);
    }

    /// <summary>w = (1 - lr decay) w - u on VectorE; the cast to the main type on ScalarE, in the gradient's place.</summary>
    private void Update(long index)
    {
        FlatChunk chunk = _chunks[index];
        _kernel.ScalarTensorTensor(_master[index], _master[index], _step[index], chunk.Partitions, chunk.Width, DataType.Fp32, DataType.Fp32);
        _kernel.Copy(StreamId.Scalar, _gradient[index], _master[index], chunk.Partitions, chunk.Width, DataType.Fp32, _type);
        chunk.Store(_kernel, _master[index], DataType.Fp32);
        chunk.Store(_kernel, _gradient[index], _type);
    }
}
