using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>The public allocated RMS normalization fused with a projection (nki-samples): rows of 128, normalized, transposed through the array and multiplied with weights that stay in SBUF.</summary>
/// <remarks>Only the input is double buffered. Transposes of a row pass through one PSUM bank, four at a time, each group after the eviction of the one before.</remarks>
internal sealed class FusedNormLinearKernel
{
    private const float Epsilon = 1e-6f;
    private const int BlocksPerGroup = 4;
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
        _weights = kernel.Sbuf("weights", results, type, columns / kernel.Partitions);
        _x = kernel.Sbuf("hidden", columns, type, 2);
        _squares = kernel.Sbuf("squares", columns, DataType.Fp32);
        _statistics = kernel.Sbuf("square sum", 1, DataType.Fp32);
        _normalized = kernel.Sbuf("normalized", GroupColumns, type, (columns + GroupColumns - 1) / GroupColumns);
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

    private TileView Weights(int k) => _weights[k];

    private void WriteTile(long row, int height)
    {
        TileView x = _x[row / _kernel.Partitions][..height, ..], scale = _statistics[0][..height, ..], output = _outputs[0][..height, ..];
        _kernel.Load(StreamId.QueueActivations, x, _input.Part(row, height));
        _kernel.ActivationReduce(ActivationFunction.Square, _squares[0][..height, ..], scale, x);
        _kernel.TensorScalar(StreamId.Vector, scale, scale, AluOperator.Multiply, 1f / _columns, AluOperator.Add, Epsilon);
        _kernel.Activation(ActivationFunction.Rsqrt, scale, scale);
        TileView product = _product[0][..height, .._results];
        int groups = _normalized.Copies;
        for (int step = 0; step < groups + 2; step++)
        {
            if (step < groups)
            {
                int start = step * GroupColumns;
                _kernel.TensorScalar(StreamId.Vector, Normalized(step, height), x.Skip(start).Every(1, Columns(step)), AluOperator.Multiply, scale);
            }

            if (step is > 0 && step <= groups)
            {
                WriteTransposed(step - 1, height);
            }

            if (step > 1)
            {
                WriteProduct(step - 2, product);
            }
        }

        _kernel.Copy(StreamId.Scalar, output, product);
        _kernel.Store(StreamId.QueueStores, _output.Part(row, height), output);
    }

    private int GroupColumns => BlocksPerGroup * _kernel.Partitions;

    private int Columns(int group) => Math.Min(GroupColumns, _columns - (group * GroupColumns));

    private TileView Normalized(int group, int height) => _normalized[group][..height, ..Columns(group)];

    /// <summary>Columns of the normalized rows become rows, in place: column c of a block of 128 lies in partition c, the blocks side by side.</summary>
    private void WriteTransposed(int group, int height)
    {
        int blocks = Columns(group) / _kernel.Partitions;
        TileView normalized = Normalized(group, height), bank = _transposes[0][.., ..(blocks * height)];
        for (int block = 0; block < blocks; block++)
        {
            _kernel.Transpose(bank.Skip(block * height).Every(1, height), normalized.Skip(block * _kernel.Partitions).Every(1, _kernel.Partitions));
        }

        _kernel.Copy(StreamId.Vector, Transposed(group, blocks * height), bank);
    }

    private void WriteProduct(int group, in TileView product)
    {
        int height = product.Partitions;
        for (int block = 0; block < Columns(group) / _kernel.Partitions; block++)
        {
            int k = (group * BlocksPerGroup) + block;
            _kernel.MatMul(product, Transposed(group, height).Skip(block * height), Weights(k), k > 0);
        }
    }

    private TileView Transposed(int group, int columns) => _normalized[group][.., ..columns];
}
