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
    private readonly MemoryTensor _aTensor;
    private readonly MemoryTensor? _bTensor;
    private readonly MemoryTensor? _gradientTensor;
    private readonly MemoryTensor _output;
    private readonly MemoryTensor? _secondOutput;

    private ElementwiseKernel(Elementwise op, Accelerator machine, long elements, bool values)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name, values);
        int width = ChunkWidth(op, _kernel);
        _chunks = new FlatTiling(elements, _kernel.Partitions, width);
        _gradientTensor = op.Backward ? Flat(_kernel.Input, "gradient", elements) : null;
        _aTensor = Flat(_kernel.Input, "a", elements);
        _bTensor = op.Binary ? Flat(_kernel.Input, "b", elements) : null;
        _output = Flat(_kernel.Output, op.Backward ? "gradient of a" : "output", elements);
        _secondOutput = op.Backward && op.Binary ? Flat(_kernel.Output, "gradient of b", elements) : null;
        _a = _kernel.Sbuf("a", width, op.Type, TilePipeline.SkewedCopies);
        _b = op.Binary ? _kernel.Sbuf("b", width, op.Type, TilePipeline.SkewedCopies) : null;
        _gradient = op.Backward ? _kernel.Sbuf("gradient", width, op.Type, TilePipeline.SkewedCopies) : null;
        _scratch = NeedsScratch(op) ? _kernel.Sbuf("derivative", width, op.Type, TilePipeline.SkewedCopies) : null;
    }

    /// <summary>A tensor with the operator's rows, or flat when a program covers a part of them.</summary>
    private MemoryTensor Flat(Func<string, long, long, DataType, MemoryTensor> declare, string name, long elements) =>
        elements % _op.Columns == 0 ? declare(name, elements / _op.Columns, _op.Columns, _op.Type) : declare(name, 1, elements, _op.Type);

    private ActivationFunction Function => _op.Function switch
    {
        ElementwiseFunction.Gelu or ElementwiseFunction.GatedGelu => ActivationFunction.Gelu,
        ElementwiseFunction.Silu or ElementwiseFunction.GatedSilu => ActivationFunction.Silu,
        ElementwiseFunction.Tanh => ActivationFunction.Tanh,
        _ => ActivationFunction.Relu,
    };

    /// <summary>Spreads the elements over all partitions, whatever the rows.</summary>
    public static Lowering Lower(Elementwise op, Accelerator machine, bool values = false)
    {
        var sizing = new KernelBuilder(machine, op.Name);
        var chunk = new FlatTiling(1, sizing.Partitions, ChunkWidth(op, sizing));
        const long instructions = 16;
        return Placement.Cut(checked(op.Rows * op.Columns), chunk.ChunkElements, instructions, elements => new ElementwiseKernel(op, machine, elements, values).Write());
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
        chunk.Load(_kernel, StreamId.QueueActivations, _a[index], _aTensor);
        if (_b is { } b)
        {
            chunk.Load(_kernel, StreamId.QueueSmall, b[index], _bTensor!);
        }

        if (_gradient is { } gradient)
        {
            chunk.Load(_kernel, StreamId.QueueSmall, gradient[index], _gradientTensor!);
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
            Combine(chunk, a, a, b[index], _op.Function == ElementwiseFunction.Add ? AluOperator.Add : AluOperator.Multiply);
        }

        chunk.Store(_kernel, _output, a);
    }

    private void Backward(in FlatChunk chunk, long index, Tile gradient)
    {
        Tile a = _a[index];
        if (_scratch is { } scratch)
        {
            Derivative(chunk, scratch[index], a);
        }

        (Tile first, Tile second) = (a, a);
        switch (_op.Function)
        {
            case ElementwiseFunction.Add:
                chunk.Store(_kernel, _output, gradient);
                chunk.Store(_kernel, _secondOutput!, gradient);
                return;
            case ElementwiseFunction.Multiply:
                Combine(chunk, _b![index], gradient, _b[index]);
                Combine(chunk, a, gradient, a);
                (first, second) = (_b[index], a);
                break;
            case ElementwiseFunction.GatedRelu or ElementwiseFunction.GatedGelu or ElementwiseFunction.GatedSilu:
                Activate(chunk, Function, a, a);
                Combine(chunk, _b![index], gradient, _b[index]);
                Combine(chunk, _b[index], _b[index], _scratch![index]);
                Combine(chunk, a, gradient, a);
                (first, second) = (_b[index], a);
                break;
            default:
                Combine(chunk, a, gradient, _scratch![index]);
                chunk.Store(_kernel, _output, a);
                return;
        }

        chunk.Store(_kernel, _output, first);
        chunk.Store(_kernel, _secondOutput!, second);
    }

    /// <summary>relu': a comparison; tanh': 1 - tanh^2; the others have a table of their own.</summary>
    private void Derivative(in FlatChunk chunk, Tile target, Tile a)
    {
        switch (Function)
        {
            case ActivationFunction.Relu:
                _kernel.TensorScalar(StreamId.Vector, chunk.Of(target), chunk.Of(a), AluOperator.Greater, 0);
                break;
            case ActivationFunction.Tanh:
                Activate(chunk, ActivationFunction.Tanh, target, a);
                Activate(chunk, ActivationFunction.Square, target, target);
                _kernel.TensorScalar(StreamId.Vector, chunk.Of(target), chunk.Of(target), AluOperator.Multiply, -1, AluOperator.Add, 1);
                break;
            default:
                Activate(chunk, Function == ActivationFunction.Gelu ? ActivationFunction.GeluDerivative : ActivationFunction.SiluDerivative, target, a);
                break;
        }
    }

    private void Activate(in FlatChunk chunk, ActivationFunction function, Tile target, Tile source) =>
        _kernel.Activation(function, chunk.Of(target), chunk.Of(source));

    private void Combine(in FlatChunk chunk, Tile target, Tile first, Tile second, AluOperator op = AluOperator.Multiply) =>
        _kernel.TensorTensor(StreamId.Vector, op, chunk.Of(target), chunk.Of(first), chunk.Of(second));
}
