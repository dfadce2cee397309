using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Sizes of an image.</summary>
internal readonly record struct ImageSize(int Height, int Width);

/// <summary>Adaptive average pooling: output (y, x) is the mean of rows y H / OH to ceil((y + 1) H / OH) and of columns alike. A channel of an image per partition.</summary>
/// <remarks>Rows of windows are loaded one after the other, in pieces where they do not fit; VectorE takes one sum and one product for each window. The public kernel's tiling is not in the sources at hand: an assumption.</remarks>
internal sealed class AveragePoolingKernel(KernelBuilder kernel, ImageSize input, ImageSize output, DataType type)
{
    private const int Copies = 3;
    private readonly int _pieceRows = Math.Min(WindowRows(input.Height, output.Height), (int)(kernel.Machine.Sbuf.PartitionSize.Value / (Copies + 1) / ((long)input.Width * type.ByteSize())));
    private long _loaded;

    /// <summary>Writes the program.</summary>
    /// <exception cref="CapacityException">A row of an image does not fit SBUF.</exception>
    public static Program Write(KernelBuilder kernel, long channels, ImageSize input, ImageSize output, DataType type)
    {
        var pooling = new AveragePoolingKernel(kernel, input, output, type);
        MemoryTensor x = kernel.Input("x", channels, (long)input.Height * input.Width, type), y = kernel.Output("y", channels, (long)output.Height * output.Width, type);
        TileBuffer pieces = kernel.Sbuf("rows", (long)Math.Max(1, pooling._pieceRows) * input.Width, type, Copies);
        TileBuffer sums = kernel.Sbuf("sums", 2L * output.Width, DataType.Fp32, 2), results = kernel.Sbuf("results", (long)output.Height * output.Width, type, 2);
        for (long tile = 0; tile * kernel.Partitions < channels; tile++)
        {
            long first = tile * kernel.Partitions;
            int height = (int)Math.Min(kernel.Partitions, channels - first);
            for (int row = 0; row < output.Height; row++)
            {
                pooling.WriteRow(x, pieces, sums[row][..height, ..], results[tile][..height, (row * output.Width)..((row + 1) * output.Width)], first, row);
            }

            kernel.Store(StreamId.QueueStores, y.Part(first, height), results[tile][..height, ..]);
        }

        return kernel.Build();
    }

    private static int WindowRows(int from, int to) => Enumerable.Range(0, to).Max(index => End(index, from, to) - Start(index, from, to));

    private static int Start(int index, int from, int to) => index * from / to;

    private static int End(int index, int from, int to) => (((index + 1) * from) + to - 1) / to;

    private void WriteRow(MemoryTensor x, TileBuffer pieces, in TileView sums, in TileView results, long channel, int row)
    {
        (int start, int end) = (Start(row, input.Height, output.Height), End(row, input.Height, output.Height));
        for (int from = start; from < end; from += _pieceRows)
        {
            int rows = Math.Min(_pieceRows, end - from);
            TileView piece = pieces[_loaded++][..sums.Partitions, ..(rows * input.Width)];
            kernel.Load(StreamId.QueueActivations, piece, x.Part(channel, sums.Partitions, (long)from * input.Width, (long)rows * input.Width));
            WriteSums(sums.Skip(from == start ? 0 : output.Width), piece, rows);
            if (from > start)
            {
                kernel.TensorTensor(StreamId.Vector, AluOperator.Add, sums.Every(1, output.Width), sums.Every(1, output.Width), sums.Skip(output.Width).Every(1, output.Width));
            }
        }

        for (int column = 0; column < output.Width; column++)
        {
            int elements = (end - start) * (End(column, input.Width, output.Width) - Start(column, input.Width, output.Width));
            kernel.TensorScalar(StreamId.Vector, results.Skip(column).Every(1, 1), sums.Skip(column).Every(1, 1), AluOperator.Multiply, 1f / elements);
        }
    }

    private void WriteSums(in TileView sums, in TileView piece, int rows)
    {
        for (int column = 0; column < output.Width; column++)
        {
            (int start, int end) = (Start(column, input.Width, output.Width), End(column, input.Width, output.Width));
            kernel.TensorReduce(AluOperator.Add, sums.Skip(column).Every(1, 1), piece.Skip(start).Every(1, end - start).Repeat(rows, input.Width));
        }
    }
}
