using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>What <see cref="RmsNormQuantKernel"/> computes.</summary>
/// <param name="Rows">Rows over all cores.</param>
/// <param name="Columns">Elements of a row.</param>
/// <param name="Normalize">Divide by the root mean square and multiply by gamma before quantizing.</param>
/// <param name="Clamp">Largest magnitude that is kept; 0 for no limit.</param>
internal sealed record RmsNormQuantShape(long Rows, int Columns, bool Normalize = true, float Clamp = 0);

/// <summary>RMS normalization of rows and their quantization to fp8, one scale per row: value = fp8 x scale.</summary>
/// <remarks>
/// A row per partition, 128 rows a tile, each tile from load to store before the next: a row of 16,384 with its squares and results leaves no room for a second one.
/// The sum of squares on the scalar engine; gamma loaded into one partition and broadcast by a product with ones, a bank of PSUM at a time, to the
/// vector engine, which scales; then the largest magnitude of each row and one pass that quantizes. Cores share the rows.
/// The tiling is that of the RMSNorm-quant design page of the public kernel library (Neuron 2.32).
/// </remarks>
internal sealed class RmsNormQuantKernel
{
    /// <summary>Largest fp8 magnitude of the accelerator (e4m3 with infinities).</summary>
    internal const float Fp8Range = 240;

    /// <summary>A row's scale is at least this, so that its reciprocal stays finite.</summary>
    internal const float MinimumScale = 1e-6f;

    /// <summary>Added to the mean square.</summary>
    internal const float Epsilon = 1e-6f;

    private const DataType Type = DataType.Bf16;

    private readonly RmsNormQuantShape _shape;
    private readonly KernelBuilder _kernel;
    private readonly RowTiling _rows;
    private readonly ColumnTiling _pieces;
    private readonly MemoryTensor _input;
    private readonly MemoryTensor? _weights;
    private readonly MemoryTensor _output;
    private readonly MemoryTensor _outputScales;
    private readonly Tile _x;
    private readonly Tile _quantized;
    private readonly Tile _scales;

    private RmsNormQuantKernel(Accelerator machine, RmsNormQuantShape shape, bool values)
    {
        _shape = shape;
        _kernel = new KernelBuilder(machine, "rmsnorm-quant", values);
        _rows = new RowTiling((shape.Rows + machine.Cores - 1) / machine.Cores, _kernel.Partitions);
        _pieces = new ColumnTiling(shape.Columns, _kernel.BankColumns);
        _input = _kernel.Input("x", _rows.Rows, shape.Columns, Type);
        _weights = shape.Normalize ? _kernel.Input("gamma", 1, shape.Columns, Type) : null;
        _output = _kernel.Output("quantized", _rows.Rows, shape.Columns, DataType.Fp8E4M3);
        _outputScales = _kernel.Output("scales", _rows.Rows, 1, DataType.Fp32);
        _x = _kernel.Sbuf("x", shape.Columns, Type)[0];
        _quantized = _kernel.Sbuf("quantized", shape.Columns, DataType.Fp8E4M3)[0];
        _scales = _kernel.Sbuf("scale and its reciprocal", 2, DataType.Fp32)[0];
    }

    /// <summary>The program of the core with the most rows.</summary>
    /// <exception cref="CapacityException">A row does not fit SBUF.</exception>
    public static Program Write(Accelerator machine, RmsNormQuantShape shape, bool values = false) => new RmsNormQuantKernel(machine, shape, values).Write();

    private Program Write()
    {
        _kernel.Descriptors = DescriptorSource.Hardware;
        Normalization? normalization = _weights is { } weights ? new Normalization(_kernel, weights, _shape.Columns) : null;
        for (long tile = 0; tile < _rows.Tiles; tile++)
        {
            MemoryView source = _input.Part(_rows.Start(tile), _rows[tile]);
            TileView x = _x[.._rows[tile], ..];
            _kernel.Load(StreamId.QueueActivations, x, source);
            normalization?.Apply(x, _pieces);
            Quantize(x, tile);
        }

        return _kernel.Build();
    }

    private void Quantize(in TileView x, long tile)
    {
        int rows = x.Partitions;
        TileView scale = _scales[..rows, ..1], reciprocal = _scales[..rows, 1..], quantized = _quantized[..rows, ..];
        _kernel.TensorReduce(AluOperator.AbsoluteMaximum, scale, x);
        if (_shape.Clamp > 0)
        {
            _kernel.TensorScalar(StreamId.Vector, scale, scale, AluOperator.Minimum, _shape.Clamp);
            _kernel.TensorScalar(StreamId.Vector, x, x, AluOperator.Minimum, _shape.Clamp, AluOperator.Maximum, -_shape.Clamp);
        }

        _kernel.Activation(ActivationFunction.Identity, scale, scale, scale: 1 / Fp8Range);
        _kernel.TensorScalar(StreamId.Vector, scale, scale, AluOperator.Maximum, MinimumScale);
        _kernel.Reciprocal(reciprocal, scale);
        _kernel.TensorScalar(StreamId.Vector, quantized, x, AluOperator.Multiply, reciprocal);
        _kernel.Store(StreamId.QueueStores, _output.Part(_rows.Start(tile), rows), quantized);
        _kernel.Store(StreamId.QueueStores, _outputScales.Part(_rows.Start(tile), rows), scale);
    }

    /// <summary>x / rms(x) x gamma, in place.</summary>
    private sealed class Normalization
    {
        private readonly KernelBuilder _kernel;
        private readonly MemoryTensor _weights;
        private readonly Tile _gamma;
        private readonly Tile _squares;
        private readonly Tile _inverse;
        private readonly Tile _ones;
        private readonly TileBuffer _banks;

        public Normalization(KernelBuilder kernel, MemoryTensor weights, int columns)
        {
            (_kernel, _weights) = (kernel, weights);
            _gamma = kernel.Sbuf("gamma", columns, Type)[0];
            _squares = kernel.Sbuf("squares", columns, DataType.Fp32)[0];
            _inverse = kernel.Sbuf("inverse rms", 1, DataType.Fp32)[0];
            _ones = kernel.Sbuf("ones", kernel.Partitions, Type)[0];
            _banks = kernel.Psum("gamma of all rows", 8);
            kernel.Memset(StreamId.Vector, _ones[..1, ..], 1);
        }

        public void Apply(in TileView x, ColumnTiling pieces)
        {
            int rows = x.Partitions;
            TileView gamma = _gamma[..1, ..], inverse = _inverse[..rows, ..];
            _kernel.Load(StreamId.QueueActivations, gamma, _weights.Part(0, 1));
            _kernel.ActivationReduce(ActivationFunction.Square, _squares[..rows, ..], inverse, x);
            _kernel.Activation(ActivationFunction.Rsqrt, inverse, inverse, Epsilon, 1f / (int)pieces.Columns);
            for (int piece = 0; piece < pieces.Pieces; piece++)
            {
                FreePattern part = FreePattern.Row(pieces[piece]);
                int start = (int)pieces.Start(piece);
                TileView bank = _banks[piece][..rows, ..pieces[piece]], some = x.Skip(start) with { Free = part };
                _kernel.MatMul(bank, _ones[..1, ..rows], gamma.Skip(start) with { Free = part }, false);
                _kernel.ScalarTensorTensor(some, some, AluOperator.Multiply, inverse, AluOperator.Multiply, bank);
            }
        }
    }
}
