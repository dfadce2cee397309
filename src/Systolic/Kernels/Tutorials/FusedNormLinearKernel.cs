using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>The public allocated RMS normalization fused with a projection (nki-samples): rows of 128, normalized, transposed through the array and multiplied with weights that stay in SBUF.</summary>
/// <remarks>Only the input is double buffered. Transposes of a row pass through one PSUM bank, four at a time, each group after the eviction of the one before.</remarks>
internal sealed class FusedNormLinearKernel
{
    private const float Epsilon = 1e-6f;
    private readonly KernelBuilder _kernel;
    private readonly DataType _type;
    private readonly int _columns;
    private readonly int _results;
    private readonly MemoryTensor _input;
    private readonly MemoryTensor _output;
    private readonly TileBuffer _weights;
    private readonly TileBuffer _x;
    private readonly TileBuffer _squares;
    private readonly TileBuffer _statistics;
    private readonly TileBuffer _normalized;
    private readonly TileBuffer _outputs;
    private readonly TileBuffer _transposes;
    private readonly TileBuffer _product;

    private FusedNormLinearKernel(KernelBuilder kernel, long rows, int columns, int results, DataType type)
    {
        (_kernel, _type, _columns, _results) = (kernel, type, columns, results);
        if (columns % kernel.Partitions != 0 || results > kernel.BankColumns)
        {
            throw new ArgumentException(FormattableString.Invariant($"Found {columns} x {results}, expected a multiple of {kernel.Partitions} by up to {kernel.BankColumns}."), nameof(columns));
        }

        _input = kernel.Input("hidden", rows, columns, type);
        _output = kernel.Output("output", rows, results, type);
        _weights = kernel.Sbuf("weights", (long)columns / kernel.Partitions * results, type);
        _x = kernel.Sbuf("hidden", columns, type, 2);
        _squares = kernel.Sbuf("squares", columns, DataType.Fp32);
        _statistics = kernel.Sbuf("square sum", 1, DataType.Fp32);
        _normalized = kernel.Sbuf("normalized", columns, type);
        _outputs = kernel.Sbuf("output", results, type);
        _transposes = kernel.Psum("transposes", 1, type);
        _product = kernel.Psum("product", 1);
    }

    /// <summary>Writes the program: hidden[rows, columns], normalized, x weights[columns, results].</summary>
    /// <exception cref="ArgumentException">The columns are not a multiple of 128, or there are more results than a PSUM bank holds.</exception>
    /// <exception cref="CapacityException">A row with the weights does not fit SBUF.</exception>
    public static Program Write(KernelBuilder kernel, long rows, int columns, int results, DataType type)
    {
        var linear = new FusedNormLinearKernel(kernel, rows, columns, results, type);
        MemoryTensor weights = kernel.Input("weights", columns, results, type);
        for (int k = 0; k < columns / kernel.Partitions; k++)
        {
            kernel.Load(StreamId.QueueWeights, linear.Weights(k), weights.Part((long)k * kernel.Partitions, kernel.Partitions));
        }

        for (long row = 0; row < rows; row += kernel.Partitions)
        {
            linear.WriteTile(row, (int)Math.Min(kernel.Partitions, rows - row));
        }

        return kernel.Build();
    }

    private TileView Weights(int k) => _weights[0][.., (k * _results)..((k + 1) * _results)];

    private void WriteTile(long row, int height)
    {
        TileView x = _x[row / _kernel.Partitions][..height, ..], scale = _statistics[0][..height, ..], output = _outputs[0][..height, ..];
        _kernel.Load(StreamId.QueueActivations, x, _input.Part(row, height));
        _kernel.ActivationReduce(ActivationFunction.Square, _squares[0][..height, ..], scale, x);
        _kernel.TensorScalar(StreamId.Vector, scale, scale, AluOperator.Multiply, 1f / _columns, AluOperator.Add, Epsilon);
        _kernel.Activation(ActivationFunction.Rsqrt, scale, scale);
        int group = Math.Min(_columns, 4 * _kernel.Partitions);
        for (int start = 0; start < _columns; start += group)
        {
            WriteTransposed(x, scale, start, Math.Min(group, _columns - start), height);
        }

        TileView product = _product[0][..height, .._results];
        for (int k = 0; k < _columns / _kernel.Partitions; k++)
        {
            _kernel.MatMul(product, Normalized(k * _kernel.Partitions, height), Weights(k), k > 0);
        }

        _kernel.Copy(StreamId.Scalar, output, product);
        _kernel.Store(StreamId.QueueStores, _output.Part(row, height), output);
    }

    /// <summary>Columns of the normalized rows become rows: column c of a block of 128 lies in partition c, the rows side by side.</summary>
    private void WriteTransposed(in TileView x, in TileView scale, int start, int count, int height)
    {
        TileView normalized = _normalized[0][..height, start..(start + count)];
        _kernel.TensorScalar(StreamId.Vector, normalized, x.Skip(start).Every(1, count), AluOperator.Multiply, scale);
        int blocks = count / _kernel.Partitions;
        for (int block = 0; block < blocks; block++)
        {
            _kernel.Transpose(_transposes[0][.., (block * height)..((block + 1) * height)], normalized.Skip(block * _kernel.Partitions).Every(1, _kernel.Partitions));
        }

        TileView rows = Normalized(start, height);
        _kernel.Copy(StreamId.Vector, rows with { Free = rows.Free.Repeat(blocks, _kernel.Partitions) }, _transposes[0][.., ..(blocks * height)]);
    }

    private TileView Normalized(int column, int height) => _normalized[0][.., column..(column + height)];
}
