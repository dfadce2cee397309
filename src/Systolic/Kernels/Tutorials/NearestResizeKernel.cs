using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>The public resize to the nearest pixel (nki-samples): transfers only, each pixel of the result loaded and stored by itself for all images of the batch.</summary>
/// <remarks>The source has the channels of an image in one partition; here they are spread over partitions in runs of at least 256 B, so that several DMA engines share a transfer: an assumption.</remarks>
internal static class NearestResizeKernel
{
    private const int Ahead = 16;

    /// <summary>Writes the program; pixels lie one after the other with their channels.</summary>
    public static Program Write(KernelBuilder kernel, int batch, ImageSize input, ImageSize output, int channels, DataType type)
    {
        (long from, long to) = ((long)input.Height * input.Width, (long)output.Height * output.Width);
        MemoryTensor x = kernel.Input("x", batch * from, channels, type), y = kernel.Output("y", batch * to, channels, type);
        int runs = Runs(kernel, batch, channels, type);
        TileBuffer pixels = kernel.Sbuf("pixels", channels / runs, type, Ahead);
        for (int pixel = 0; pixel < to; pixel++)
        {
            (int row, int column) = Math.DivRem(pixel, output.Width);
            long source = ((long)row * input.Height / output.Height * input.Width) + ((long)column * input.Width / output.Width);
            TileView tile = pixels[pixel][..(batch * runs), ..];
            kernel.Load(StreamId.QueueActivations, tile, Pixel(x, source, batch, from, runs));
            kernel.Store(StreamId.QueueStores, Pixel(y, pixel, batch, to, runs), tile);
        }

        return kernel.Build();
    }

    /// <summary>The most runs of equal length, none shorter than a DMA engine moves at its full rate, that fit the partitions.</summary>
    private static int Runs(KernelBuilder kernel, int batch, int channels, DataType type)
    {
        long shortest = kernel.Machine.Dma.MinimumRun.Value / type.ByteSize();
        return Enumerable.Range(1, Math.Max(1, kernel.Partitions / batch)).Last(runs => channels % runs == 0 && (runs == 1 || channels / runs >= shortest));
    }

    private static MemoryView Pixel(MemoryTensor tensor, long pixel, int batch, long perImage, int runs)
    {
        int run = (int)tensor.Columns / runs;
        return new MemoryView(tensor, pixel * tensor.Columns, new MemoryPattern(batch, perImage * tensor.Columns, runs, run, 1, 0, run));
    }
}
