using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>bmm_softmax of NKIBench, fp32: softmax over the columns of each product of a batch.</summary>
/// <remarks>The scores of a product exceed SBUF, so they are stored as they are made and read back when the maxima of their rows are known, as a compiler has to spill them.</remarks>
internal static class NkiBenchSoftmax
{
    private const int Width = 1024;
    private const DataType Type = DataType.Fp32;

    /// <summary>Writes the program.</summary>
    public static Program Write(KernelBuilder kernel, int batch, int m, int k, int n)
    {
        int height = kernel.Partitions, bank = kernel.BankColumns, tiles = m / height;
        MemoryTensor scores = kernel.Scratch("scores", (long)batch * m, n, Type), result = kernel.Output("result", (long)batch * m, n, Type);
        TileBuffer pieces = kernel.Sbuf("scores", bank, Type, 4), rows = kernel.Sbuf("rows", Width, Type, 3 * n / Width);
        TileBuffer maxima = kernel.Sbuf("maxima", 2, Type, 2 * tiles), sums = kernel.Sbuf("statistics", 3, Type, 2);
        var product = new NkiBenchProduct(kernel, batch, m, k, n, false, m);
        long piece = 0;
        for (int b = 0; b < batch; b++)
        {
            long first = (long)b * tiles;
            product.Write(b, Keep);
            TilePipeline.Write(tiles, 2, tile => Exponential(first + tile), tile => Scale(first + tile));
        }

        return kernel.Build();

        void Keep(long row, long column, TileView[] products)
        {
            for (int i = 0; i < products.Length; i++)
            {
                long start = column + ((long)i * bank);
                TileView kept = pieces[piece++];
                kernel.Copy(StreamId.Scalar, kept, products[i]);
                RowStatistics.Merge(kernel, AluOperator.Maximum, maxima[row / height], kept, start == 0);
                kernel.Store(StreamId.QueueStores, scores.Part(row, height, start, bank), kept);
            }
        }

        void Exponential(long tile)
        {
            TileView negative = sums[tile][.., 2..];
            kernel.TensorScalar(StreamId.Scalar, negative, maxima[tile][.., ..1], AluOperator.Multiply, -1);
            for (int column = 0; column < n; column += bank)
            {
                Tile row = rows[((tile * n) + column) / Width];
                if (column % Width == 0)
                {
                    kernel.Load(StreamId.QueueActivations, row, scores.Part(tile * height, height, column, Width));
                }

                TileView part = row.Columns(column % Width, bank);
                kernel.Activation(ActivationFunction.Exp, part, part, negative);
                RowStatistics.Merge(kernel, AluOperator.Add, sums[tile], part, column == 0);
            }
        }

        void Scale(long tile)
        {
            TileView inverse = sums[tile][.., 1..2];
            kernel.Reciprocal(inverse, sums[tile][.., ..1]);
            for (int column = 0; column < n; column += bank)
            {
                Tile row = rows[((tile * n) + column) / Width];
                TileView part = row.Columns(column % Width, bank);
                kernel.TensorScalar(StreamId.Scalar, part, part, AluOperator.Multiply, inverse);
                if ((column + bank) % Width == 0)
                {
                    kernel.Store(StreamId.QueueStores, result.Part(tile * height, height, column + bank - Width, Width), row);
                }
            }
        }
    }
}
