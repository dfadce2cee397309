using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>The public bilinear resize to twice the size (nki-samples, contributed): each new pixel takes 9, 3, 3 and 1 sixteenths of its four neighbours, at an edge 3 and 1 quarters of two.</summary>
/// <remarks>A channel of an image per partition; ten rows at a time, of which neighbouring chunks share one. ScalarE takes the first product, VectorE adds the others.</remarks>
internal sealed class BilinearResizeKernel(KernelBuilder kernel, int width)
{
    private const int ChunkRows = 10;
    private const int Copies = 2;

    /// <summary>Writes the program.</summary>
    /// <exception cref="CapacityException">A chunk does not fit SBUF.</exception>
    public static Program Write(KernelBuilder kernel, long channels, ImageSize image, DataType type)
    {
        var resize = new BilinearResizeKernel(kernel, image.Width);
        MemoryTensor x = kernel.Input("x", channels, (long)image.Height * image.Width, type), y = kernel.Output("y", channels, 4L * image.Height * image.Width, type);
        int chunk = Math.Min(ChunkRows, image.Height), wide = 2 * image.Width;
        TileBuffer inputs = kernel.Sbuf("rows", (long)chunk * image.Width, type, Copies), outputs = kernel.Sbuf("resized rows", 2L * chunk * wide, type, Copies);
        long turn = 0;
        for (int first = 0; first == 0 || first + 1 < image.Height; first += chunk - 1)
        {
            int rows = Math.Min(chunk, image.Height - first), skip = first > 0 ? 1 : 0;
            for (long channel = 0; channel < channels; channel += kernel.Partitions, turn++)
            {
                int partitions = (int)Math.Min(kernel.Partitions, channels - channel);
                TileView input = inputs[turn][..partitions, ..(rows * image.Width)], output = outputs[turn][..partitions, ..(2 * rows * wide)];
                kernel.Load(StreamId.QueueActivations, input, x.Part(channel, partitions, (long)first * image.Width, (long)rows * image.Width));
                resize.WriteChunk(output, input, rows);
                kernel.Store(StreamId.QueueStores, y.Part(channel, partitions, ((2L * first) + skip) * wide, ((2L * rows) - skip) * wide), output.Skip(skip * wide).Every(1, ((2 * rows) - skip) * wide));
            }
        }

        return kernel.Build();
    }

    private void WriteChunk(in TileView output, in TileView input, int rows)
    {
        int wide = 2 * width, last = (2 * rows) - 1;
        for (int side = 0; side < 2; side++)
        {
            // New row (column) 2 i + 1 + side lies nearer to old one i + side than to i + 1 - side.
            for (int right = 0; right < 2; right++)
            {
                Mix(Grid(output, 1 + side, 1 + right, 2), [(9, Grid(input, side, right, 1)), (3, Grid(input, 1 - side, right, 1)), (3, Grid(input, side, 1 - right, 1)), (1, Grid(input, 1 - side, 1 - right, 1))], 16);
            }

            Mix(Edge(output, 1 + side, 2, width - 1, last * wide), [(3, Edge(input, side, 1, width - 1, (rows - 1) * width)), (1, Edge(input, 1 - side, 1, width - 1, (rows - 1) * width))], 4);
            Mix(Edge(output, (1 + side) * wide, 2 * wide, rows - 1, wide - 1), [(3, Edge(input, side * width, width, rows - 1, width - 1)), (1, Edge(input, (1 - side) * width, width, rows - 1, width - 1))], 4);
        }

        kernel.Copy(StreamId.Vector, Edge(output, 0, wide - 1, 2, last * wide), Edge(input, 0, width - 1, 2, (rows - 1) * width));

        TileView Grid(in TileView view, int row, int column, int step) =>
            view.Skip((row * width * step) + column).Every(step, width - 1).Repeat(rows - 1, step * width * step);
    }

    /// <summary>The elements of both edges: <paramref name="count"/> of each.</summary>
    private static TileView Edge(in TileView view, int first, int step, int count, int other) => view.Skip(first).Every(step, count).Repeat(2, other);

    private void Mix(in TileView target, ReadOnlySpan<(int Weight, TileView Source)> terms, float whole)
    {
        kernel.Activation(ActivationFunction.Identity, target, terms[0].Source, scale: terms[0].Weight / whole);
        foreach ((int weight, TileView source) in terms[1..])
        {
            kernel.ScalarTensorTensor(target, source, AluOperator.Multiply, weight / whole, AluOperator.Add, target);
        }
    }
}
