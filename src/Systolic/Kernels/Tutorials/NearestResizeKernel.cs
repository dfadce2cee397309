using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>The public resize to the nearest pixel (nki-samples): transfers only, each pixel of the result loaded and stored by itself, an image of the batch per partition.</summary>
internal static class NearestResizeKernel
{
    private const int Ahead = 16;

    /// <summary>Writes the program; pixels lie one after the other with their channels.</summary>
    public static Program Write(KernelBuilder kernel, int batch, ImageSize input, ImageSize output, int channels, DataType type)
    {
        (long from, long to) = ((long)input.Height * input.Width, (long)output.Height * output.Width);
        MemoryTensor x = kernel.Input("x", batch * from, channels, type), y = kernel.Output("y", batch * to, channels, type);
        TileBuffer pixels = kernel.Sbuf("pixels", channels, type, Ahead);
        for (int pixel = 0; pixel < to; pixel++)
        {
            (int row, int column) = Math.DivRem(pixel, output.Width);
            long source = ((long)row * input.Height / output.Height * input.Width) + ((long)column * input.Width / output.Width);
            TileView tile = pixels[pixel][..batch, ..];
            kernel.Load(StreamId.QueueActivations, tile, Pixel(x, source, batch, from));
            kernel.Store(StreamId.QueueStores, Pixel(y, pixel, batch, to), tile);
        }

        return kernel.Build();
    }

    private static MemoryView Pixel(MemoryTensor tensor, long pixel, int batch, long perImage) =>
        new(tensor, pixel * tensor.Columns, new MemoryPattern(1, 0, batch, perImage * tensor.Columns, 1, 0, (int)tensor.Columns));
}
