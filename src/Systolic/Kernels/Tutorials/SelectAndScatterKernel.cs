using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>The public select-and-scatter (nki-samples), the gradient of a maximum over windows of 3 x 3 at every second place with a border of one: each gradient goes to the first maximum of its window.</summary>
/// <remarks>A channel of an image per partition, two images of 64 channels at a time. As in the source, the nine places of the windows pass through main memory one by one before they are added.</remarks>
internal sealed class SelectAndScatterKernel
{
    private const int Window = 3;
    private const int Places = Window * Window;
    private const int Stride = 2;
    private const float Lowest = float.MinValue;
    private readonly KernelBuilder _kernel;
    private readonly int _height;
    private readonly int _width;
    private readonly int _rows;
    private readonly int _columns;
    private readonly DataType _type;
    private readonly MemoryTensor _operand;
    private readonly MemoryTensor _source;
    private readonly MemoryTensor _scattered;
    private readonly MemoryTensor _output;
    private readonly TileBuffer _images;
    private readonly TileBuffer _gradients;
    private readonly TileBuffer _masks;
    private readonly TileBuffer _windows;
    private readonly TileBuffer _selected;
    private readonly TileBuffer _best;
    private readonly TileView _places;
    private long _image;

    private SelectAndScatterKernel(KernelBuilder kernel, long channels, int height, int width, DataType type)
    {
        (_kernel, _height, _width, _type) = (kernel, height, width, type);
        (_rows, _columns) = (((height - 1) / Stride) + 1, ((width - 1) / Stride) + 1);
        long pixels = (long)height * width, windows = (long)_rows * _columns;
        (_operand, _source) = (kernel.Input("operand", channels, pixels, type), kernel.Input("source", channels, windows, type));
        (_scattered, _output) = (kernel.Scratch("scattered", (long)Places * kernel.Partitions, pixels, type), kernel.Output("output", channels, pixels, type));
        _images = kernel.Sbuf("image with border", (long)(height + 2) * (width + 2), type, 2);
        _gradients = kernel.Sbuf("gradients", windows, type);
        _masks = kernel.Sbuf("masks", windows * Places, DataType.Int8);
        _windows = kernel.Sbuf("windows", (long)_columns * Places, type, 2);
        _selected = kernel.Sbuf("selected", (long)_columns * Places, type, 2);
        _best = kernel.Sbuf("best", 2L * _columns, type, 2);
        _places = kernel.Sbuf("places", Places, type)[0];
    }

    /// <summary>Writes the program for <paramref name="channels"/> channels over all images.</summary>
    /// <exception cref="CapacityException">Two images do not fit SBUF.</exception>
    public static Program Write(KernelBuilder kernel, long channels, int height, int width, DataType type)
    {
        var scatter = new SelectAndScatterKernel(kernel, channels, height, width, type);
        kernel.Iota(scatter._places, new AffineCondition(-Places, 0, 1));
        for (long first = 0; first < channels; first += kernel.Partitions)
        {
            scatter.WriteTile(first, (int)Math.Min(kernel.Partitions, channels - first));
        }

        return kernel.Build();
    }

    private int Border => _width + 2;

    private TileView Image(int partitions) => _images[_image++][..partitions, ..];

    /// <summary>The image without its border.</summary>
    private TileView Inside(in TileView image) => image.Skip(Border + 1).Every(1, _width).Repeat(_height, Border);

    private void WriteTile(long first, int partitions)
    {
        TileView operand = Image(partitions), gradients = _gradients[0][..partitions, ..];
        _kernel.Memset(StreamId.Vector, operand, Lowest);
        _kernel.Load(StreamId.QueueActivations, Inside(operand), _operand.Part(first, partitions));
        _kernel.Load(StreamId.QueueActivations, gradients, _source.Part(first, partitions));
        for (int row = 0; row < _rows; row++)
        {
            Select(operand, row);
        }

        for (int place = 0; place < Places; place++)
        {
            Scatter(gradients, place);
        }

        TileView sum = Image(partitions).Every(1, _height * _width), part = Image(partitions).Every(1, _height * _width);
        for (int place = 0; place < Places; place++)
        {
            _kernel.Load(StreamId.QueueActivations, place == 0 ? sum : part, _scattered.Part((long)place * _kernel.Partitions, partitions));
            if (place > 0)
            {
                _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, sum, sum, part);
            }
        }

        _kernel.Store(StreamId.QueueStores, _output.Part(first, partitions), sum);
    }

    /// <summary>Marks the first maximum of each window of a row: places are numbered from -9 on, so that those that are no maximum (0) come last.</summary>
    private void Select(in TileView operand, int row)
    {
        int partitions = operand.Partitions;
        TileView windows = _windows[row][..partitions, ..], selected = _selected[row][..partitions, ..], best = _best[row][..partitions, .._columns];
        TileView places = _places with { Partitions = partitions, Free = FreePattern.Row(Places).Repeat(_columns, 0) };
        _kernel.Copy(StreamId.Vector, windows, operand.Skip(Stride * row * Border).Every(1, Window).Repeat(Window, Border).Repeat(_columns, Stride));
        _kernel.TensorReduce(AluOperator.Maximum, best, windows);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Equal, selected, windows, best.Spread(Places));
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, selected, selected, places);
        TileView lowest = best.Skip(_columns);
        _kernel.TensorReduce(AluOperator.Minimum, lowest, selected);
        TileView mask = _masks[0][..partitions, (row * _columns * Places)..((row + 1) * _columns * Places)];
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Equal, mask, places, lowest.Spread(Places));
    }

    private void Scatter(in TileView gradients, int place)
    {
        (int down, int right) = Math.DivRem(place, Window);
        TileView image = Image(gradients.Partitions), mask = _masks[0][..gradients.Partitions, ..];
        _kernel.Memset(StreamId.Vector, image, 0);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, image.Skip((down * Border) + right).Every(Stride, _columns).Repeat(_rows, Stride * Border), gradients, mask.Skip(place).Every(Places, _rows * _columns));
        _kernel.Store(StreamId.QueueStores, _scattered.Part((long)place * _kernel.Partitions, gradients.Partitions), Inside(image));
    }
}
