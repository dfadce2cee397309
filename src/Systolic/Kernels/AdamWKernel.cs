using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>An AdamW step on flat data: gradient in the main type; master weights and both moments in fp32, updated in place.</summary>
internal sealed class AdamWKernel
{
    private const int Instructions = 32;

    // Hyperparameters of the first step of a usual training run; assumed, for operators do not say. The time does not depend on them.
    private const float Rate = 1e-3f;
    private const float FirstDecay = 0.9f;
    private const float SecondDecay = 0.999f;
    private const float WeightDecay = 0.01f;
    private const float Epsilon = 1e-16f; // within the root; 1e-8 outside it

    private readonly KernelBuilder _kernel;
    private readonly FlatTiling _chunks;
    private readonly TileBuffer _gradient;
    private readonly TileBuffer _master;
    private readonly TileBuffer _first;
    private readonly TileBuffer _second;
    private readonly TileBuffer _step;
    private readonly TileBuffer _square;
    private readonly MemoryTensor _weightTensor;
    private readonly MemoryTensor _gradientTensor;
    private readonly MemoryTensor _masterTensor;
    private readonly MemoryTensor _firstTensor;
    private readonly MemoryTensor _secondTensor;

    private AdamWKernel(AdamW op, Accelerator machine, long elements, bool values)
    {
        _kernel = new KernelBuilder(machine, op.Name, values);
        int width = ChunkWidth(op, _kernel);
        _chunks = new FlatTiling(elements, _kernel.Partitions, width);
        (long rows, long columns) = elements % op.Columns == 0 ? (elements / op.Columns, op.Columns) : (1, elements);
        _weightTensor = _kernel.Output("weights", rows, columns, op.Type);
        _gradientTensor = _kernel.Input("gradient", rows, columns, op.Type);
        _masterTensor = _kernel.InputOutput("master weights", rows, columns, DataType.Fp32);
        _firstTensor = _kernel.InputOutput("first moment", rows, columns, DataType.Fp32);
        _secondTensor = _kernel.InputOutput("second moment", rows, columns, DataType.Fp32);
        _gradient = _kernel.Sbuf("gradient", width, op.Type, TilePipeline.Copies);
        _master = State("master weights", width);
        _first = State("first moment", width);
        _second = State("second moment", width);
        _step = State("step", width);
        _square = State("squared gradient", width);
    }

    /// <summary>Spreads the elements over all partitions, whatever the rows.</summary>
    public static Lowering Lower(AdamW op, Accelerator machine, bool values = false)
    {
        var sizing = new KernelBuilder(machine, op.Name);
        long chunk = (long)sizing.Partitions * ChunkWidth(op, sizing);
        return Placement.Cut(checked(op.Rows * op.Columns), chunk, Instructions, elements => new AdamWKernel(op, machine, elements, values).Write());
    }

    private static int ChunkWidth(AdamW op, KernelBuilder kernel) =>
        Placement.Width(kernel, op.Name, FlatTiling.WantedWidth, op.Type.ByteSize() + (5 * sizeof(float)));

    private TileBuffer State(string name, int width) => _kernel.Sbuf(name, width, DataType.Fp32, TilePipeline.Copies);

    private (Program, string) Write()
    {
        TilePipeline.Write(_chunks.Chunks, TilePipeline.Copies, Moments, Direction, Update);
        return (_kernel.Build(), FormattableString.Invariant($"chunks of {_kernel.Partitions} x {_chunks.Width} elements, {TilePipeline.Copies} buffers"));
    }

    /// <summary>m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2. Scale and square on ScalarE, sums on VectorE, decay of v on GpSimdE.</summary>
    private void Moments(long index)
    {
        FlatChunk chunk = _chunks[index];
        chunk.Load(_kernel, StreamId.QueueActivations, _gradient[index], _gradientTensor);
        chunk.Load(_kernel, StreamId.QueueWeights, _first[index], _firstTensor);
        chunk.Load(_kernel, StreamId.QueueSmall, _second[index], _secondTensor);
        chunk.Load(_kernel, StreamId.QueueActivations, _master[index], _masterTensor);
        TileView gradient = chunk.Of(_gradient[index]), first = chunk.Of(_first[index]), second = chunk.Of(_second[index]), step = chunk.Of(_step[index]), square = chunk.Of(_square[index]);
        _kernel.Activation(ActivationFunction.Identity, step, gradient, 0, 1 - FirstDecay);
        _kernel.Activation(ActivationFunction.Square, square, gradient, 0, MathF.Sqrt(1 - SecondDecay));
        _kernel.TensorScalar(StreamId.GpSimd, second, second, AluOperator.Multiply, SecondDecay);
        _kernel.ScalarTensorTensor(first, first, AluOperator.Multiply, FirstDecay, AluOperator.Add, step);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, second, second, square);
    }

    /// <summary>u = m lr / sqrt(v): the root on ScalarE with rate and bias corrections in its scale, the product on GpSimdE.</summary>
    private void Direction(long index)
    {
        FlatChunk chunk = _chunks[index];
        TileView square = chunk.Of(_square[index]), step = chunk.Of(_step[index]);
        float correction = (1 - FirstDecay) / Rate * ((1 - FirstDecay) / Rate);
        _kernel.Activation(ActivationFunction.Rsqrt, square, chunk.Of(_second[index]), correction * Epsilon, correction / (1 - SecondDecay));
        _kernel.TensorTensor(StreamId.GpSimd, AluOperator.Multiply, step, chunk.Of(_first[index]), square);
        chunk.Store(_kernel, _firstTensor, _first[index]);
        chunk.Store(_kernel, _secondTensor, _second[index]);
    }

    /// <summary>w = (1 - lr decay) w - u on VectorE; the cast to the main type on ScalarE, in the gradient's place.</summary>
    private void Update(long index)
    {
        FlatChunk chunk = _chunks[index];
        TileView master = chunk.Of(_master[index]);
        _kernel.ScalarTensorTensor(master, master, AluOperator.Multiply, 1 - (Rate * WeightDecay), AluOperator.Subtract, chunk.Of(_step[index]));
        _kernel.Copy(StreamId.Scalar, chunk.Of(_gradient[index]), master);
        chunk.Store(_kernel, _masterTensor, _master[index]);
        chunk.Store(_kernel, _weightTensor, _gradient[index]);
    }
}
