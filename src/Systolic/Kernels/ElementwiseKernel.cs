using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Elementwise functions on flat data: functions on the scalar engine's table, products and sums on the vector engine.</summary>
internal sealed class ElementwiseKernel
{
    private readonly Elementwise _op;
    private readonly KernelBuilder _kernel;
    private readonly FlatTiling _chunks;
    private readonly TileBuffer _a;
    private readonly TileBuffer? _b;
    private readonly TileBuffer? _gradient;
    private readonly TileBuffer? _scratch;

    private ElementwiseKernel(Elementwise op, Accelerator machine, long elements)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name);
        int width = ChunkWidth(op, _kernel);
        _chunks = new FlatTiling(elements, _kernel.Partitions, width);
        long bytes = (long)width * op.Type.ByteSize();
        _a = _kernel.Sbuf("a", bytes, TilePipeline.SkewedCopies);
        _b = op.Binary ? _kernel.Sbuf("b", bytes, TilePipeline.SkewedCopies) : null;
        _gradient = op.Backward ? _kernel.Sbuf("gradient", bytes, TilePipeline.SkewedCopies) : null;
        _scratch = NeedsScratch(op) ? _kernel.Sbuf("derivative", bytes, TilePipeline.SkewedCopies) : null;
    }

    private ActivationFunction Function => _op.Function switch
    {
        ElementwiseFunction.Gelu or ElementwiseFunction.GatedGelu => ActivationFunction.Gelu,
        ElementwiseFunction.Silu or ElementwiseFunction.GatedSilu => ActivationFunction.Silu,
        ElementwiseFunction.Tanh => ActivationFunction.Tanh,
        _ => ActivationFunction.Relu,
    };

    /// <summary>Spreads the elements over all partitions, whatever the rows.</summary>
    public static Lowering Lower(Elementwise op, Accelerator machine)
    {
        var sizing = new KernelBuilder(machine, op.Name);
        var chunk = new FlatTiling(1, sizing.Partitions, ChunkWidth(op, sizing));
        const long instructions = 16;
        return Placement.Cut(checked(op.Rows * op.Columns), chunk.ChunkElements, instructions, elements => new ElementwiseKernel(op, machine, elements).Write());
    }

    private static bool NeedsScratch(Elementwise op) => op.Backward && op.Function is not (ElementwiseFunction.Add or ElementwiseFunction.Multiply);

    private static int ChunkWidth(Elementwise op, KernelBuilder kernel)
    {
        int tiles = 1 + (op.Binary ? 1 : 0) + (op.Backward ? 1 : 0) + (NeedsScratch(op) ? 1 : 0);
        return Placement.Width(kernel, op.Name, FlatTiling.WantedWidth, tiles * op.Type.ByteSize(), copies: TilePipeline.SkewedCopies);
    }

    private (Program, string) Write()
    {
        TilePipeline.Write(_chunks.Chunks, TilePipeline.SkewedCopies, Chunk);
        return (_kernel.Build(), FormattableString.Invariant($"chunks of {_kernel.Partitions} x {_chunks.Width} elements, {TilePipeline.SkewedCopies} buffers"));
    }

    private void Chunk(long index)
    {
        FlatChunk chunk = _chunks[index];
        chunk.Load(_kernel, StreamId.QueueActivations, _a[index], _op.Type);
        if (_b is { } b)
        {
            chunk.Load(_kernel, StreamId.QueueWeights, b[index], _op.Type);
        }

        if (_gradient is { } gradient)
        {
            chunk.Load(_kernel, StreamId.QueueSmall, gradient[index], _op.Type);
            Backward(chunk, index, gradient[index]);
        }
        else
        {
            Forward(chunk, index);
        }
    }

    private void Forward(in FlatChunk chunk, long index)
    {
        Tile a = _a[index];
        if (_op.Gated || !_op.Binary)
        {
            Activate(chunk, Function, a, a);
        }

        if (_b is { } b)
        {
            Combine(chunk, a, a, b[index]);
        }

        chunk.Store(_kernel, a, _op.Type);
    }

    private void Backward(in FlatChunk chunk, long index, Tile gradient)
    {
        Tile a = _a[index];
        if (_scratch is { } scratch)
        {
            Derivative(chunk, scratch[index], a);
        }

        switch (_op.Function)
        {
            case ElementwiseFunction.Add:
                chunk.Store(_kernel, gradient, _op.Type);
                chunk.Store(_kernel, gradient, _op.Type);
                return;
            case ElementwiseFunction.Multiply:
                Combine(chunk, _b![index], gradient, _b[index]);
                Combine(chunk, a, gradient, a);
                break;
            case ElementwiseFunction.GatedRelu or ElementwiseFunction.GatedGelu or ElementwiseFunction.GatedSilu:
                Activate(chunk, Function, a, a);
                Combine(chunk, _b![index], gradient, _b[index]);
                Combine(chunk, _b[index], _b[index], _scratch![index]);
                Combine(chunk, a, gradient, a);
                break;
            default:
                Combine(chunk, a, gradient, _scratch![index]);
                chunk.Store(_kernel, a, _op.Type);
                return;
        }

        chunk.Store(_kernel, a, _op.Type);
        chunk.Store(_kernel, _b[index], _op.Type);
    }

    /// <summary>relu': a comparison; tanh': 1 - tanh^2; the others have a table of their own.</summary>
    private void Derivative(in FlatChunk chunk, Tile target, Tile a)
    {
        switch (Function)
        {
            case ActivationFunction.Relu:
                _kernel.TensorScalar(StreamId.Vector, target, a, null, chunk.Partitions, chunk.Width, _op.Type, _op.Type);
                break;
            case ActivationFunction.Tanh:
                Activate(chunk, ActivationFunction.Tanh, target, a);
                Activate(chunk, ActivationFunction.Square, target, target);
                _kernel.TensorScalar(StreamId.Vector, target, target, null, chunk.Partitions, chunk.Width, _op.Type, _op.Type);
                break;
            default:
                Activate(chunk, Function == ActivationFunction.Gelu ? ActivationFunction.GeluDerivative : ActivationFunction.SiluDerivative, target, a);
                break;
        }
    }

    private void Activate(in FlatChunk chunk, ActivationFunction function, Tile target, Tile source) =>
        _kernel.Activation(function, target, source, null, chunk.Partitions, chunk.Width, _op.Type, _op.Type);

    private void Combine(in FlatChunk chunk, Tile target, Tile first, Tile second) =>
        _kernel.TensorTensor(StreamId.Vector, target, first, second, chunk.Partitions, chunk.Width, _op.Type, _op.Type);
}
