using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>A convolution without padding, with bias and optionally the maximum of squares of 2 x 2: the assignment of a public course (Stanford CS149, 2024 and 2025).</summary>
/// <remarks>
/// Channels on the partitions. Weights are transposed through the array once and stay; each row of the image is loaded once. A row of the result is the sum over the filter's places and the
/// tiles of input channels of a product with a shifted row. ScalarE adds the bias as it takes the sum out of PSUM.
/// </remarks>
internal sealed class ConvolutionKernel
{
    private readonly KernelBuilder _kernel;
    private readonly ImageSize _image;
    private readonly int _filter;
    private readonly int _inputs;
    private readonly int _outputs;
    private readonly int _width;
    private readonly int _pool;
    private readonly DataType _type;
    private readonly TileBuffer _weights;
    private readonly TileBuffer _bias;
    private readonly TileBuffer _rows;
    private readonly TileBuffer _results;
    private readonly TileBuffer _pooled;
    private readonly TileBuffer _banks;
    private long _bank;
    private long _stored;

    private ConvolutionKernel(KernelBuilder kernel, int inputs, int outputs, ImageSize image, int filter, bool pool, DataType type)
    {
        (_kernel, _image, _filter, _type, _pool, _width) = (kernel, image, filter, type, pool ? 2 : 1, image.Width - filter + 1);
        (_inputs, _outputs) = (inputs / kernel.Partitions, outputs / kernel.Partitions);
        if (inputs % kernel.Partitions != 0 || outputs % kernel.Partitions != 0 || _width <= 0 || _width > kernel.BankColumns)
        {
            throw new ArgumentException(FormattableString.Invariant($"Found {inputs} to {outputs} channels and results {_width} wide, expected multiples of {kernel.Partitions} and up to {kernel.BankColumns}."), nameof(image));
        }

        _weights = kernel.Sbuf("weights", kernel.Partitions, type, filter * filter * _inputs * _outputs);
        _bias = kernel.Sbuf("bias", 1, type, _outputs);
        _rows = kernel.Sbuf("rows", image.Width, type, (filter + _pool + 4) * _inputs);
        _results = kernel.Sbuf("results", (long)_pool * _width, type, 4);
        _pooled = kernel.Sbuf("pooled", _width, type, 4);
        _banks = kernel.Psum("sums", 6);
    }

    /// <summary>Writes the program.</summary>
    /// <exception cref="ArgumentException">Channels are not multiples of 128, or a row of the result does not fit a PSUM bank.</exception>
    /// <exception cref="CapacityException">The weights and a window of rows do not fit SBUF.</exception>
    public static Program Write(KernelBuilder kernel, int batch, int inputs, int outputs, ImageSize image, int filter, bool pool, DataType type)
    {
        var convolution = new ConvolutionKernel(kernel, inputs, outputs, image, filter, pool, type);
        convolution.LoadWeights();
        int height = image.Height - filter + 1;
        MemoryTensor x = kernel.Input("x", (long)batch * inputs, (long)image.Height * image.Width, type);
        MemoryTensor y = kernel.Output("y", (long)batch * outputs, (long)(height / convolution._pool) * (convolution._width / convolution._pool), type);
        for (int i = 0; i < batch; i++)
        {
            for (int row = 0, loaded = 0; row + convolution._pool <= height; row += convolution._pool)
            {
                for (; loaded < row + convolution._pool + filter - 1; loaded++)
                {
                    convolution.LoadRow(x, i, loaded);
                }

                for (int output = 0; output < convolution._outputs; output++)
                {
                    convolution.WriteRow(y, i, row, output);
                }
            }
        }

        return kernel.Build();
    }

    private Tile Weights(int output, int input, int place) => _weights[(((output * _inputs) + input) * _filter * _filter) + place];

    /// <summary>Weights lie as [outputs, inputs, places]; the array brings the inputs to the partitions.</summary>
    private void LoadWeights()
    {
        int partitions = _kernel.Partitions, places = _filter * _filter, columns = _inputs * partitions * places;
        MemoryTensor weights = _kernel.Input("weights", (long)_outputs * partitions, columns, _type), bias = _kernel.Input("bias", (long)_outputs * partitions, 1, _type);
        TileBuffer staging = _kernel.Sbuf("staging", columns, _type), banks = _kernel.Psum("transposes", 2, _type);
        for (int output = 0; output < _outputs; output++)
        {
            _kernel.Load(StreamId.QueueSmall, _bias[output], bias.Part((long)output * partitions, partitions));
            _kernel.Load(StreamId.QueueWeights, staging[0], weights.Part((long)output * partitions, partitions));
            for (int i = 0; i < _inputs * places; i++)
            {
                (int input, int place) = Math.DivRem(i, places);
                TileView bank = banks[i][.., ..partitions];
                _kernel.Transpose(bank, staging[0].ToTileView().Skip((input * partitions * places) + place).Every(places, partitions));
                _kernel.Copy(StreamId.Vector, Weights(output, input, place), bank);
            }
        }
    }

    private Tile Row(int image, int row, int input) => _rows[((((long)image * _image.Height) + row) * _inputs) + input];

    private void LoadRow(MemoryTensor x, int image, int row)
    {
        for (int input = 0; input < _inputs; input++)
        {
            long channel = (((long)image * _inputs) + input) * _kernel.Partitions;
            _kernel.Load(StreamId.QueueActivations, Row(image, row, input), x.Part(channel, _kernel.Partitions, (long)row * _image.Width, _image.Width));
        }
    }

    private void WriteRow(MemoryTensor y, int image, int row, int output)
    {
        TileView results = _results[_stored], pooled = _pooled[_stored++];
        for (int i = 0; i < _pool; i++)
        {
            TileView sum = _banks[_bank++][.., .._width];
            for (int term = 0; term < _inputs * _filter * _filter; term++)
            {
                (int input, int place) = Math.DivRem(term, _filter * _filter);
                (int down, int right) = Math.DivRem(place, _filter);
                _kernel.MatMul(sum, Weights(output, input, place), Row(image, row + i + down, input)[.., right..(right + _width)], term > 0);
            }

            _kernel.Activation(ActivationFunction.Identity, results.Skip(i * _width).Every(1, _width), sum, _bias[output].ToTileView());
        }

        int width = _width / _pool;
        if (_pool > 1)
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Maximum, pooled, results.Every(1, _width), results.Skip(_width).Every(1, _width));
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Maximum, results.Every(1, width), pooled.Every(_pool, width), pooled.Skip(1).Every(_pool, width));
        }

        long channel = (((long)image * _outputs) + output) * _kernel.Partitions;
        _kernel.Store(StreamId.QueueStores, y.Part(channel, _kernel.Partitions, (long)(row / _pool) * width, width), results.Every(1, width));
    }
}
