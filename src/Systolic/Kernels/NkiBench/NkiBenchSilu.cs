using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>silu of NKIBench, fp32: x / (1 + exp(-x)); row p x M/128 + i of x lies on partition p, 1,024 columns at a time, in halves of 512.</summary>
/// <remarks>Exponential and sum on ScalarE; the vector engine divides instead of taking a reciprocal, as in <see cref="NkiBenchAdamW"/>.</remarks>
internal static class NkiBenchSilu
{
    private const int Width = 1024;
    private const DataType Type = DataType.Fp32;

    /// <summary>Writes the program.</summary>
    public static Program Write(KernelBuilder kernel, int m, int n)
    {
        int height = kernel.Partitions;
        if (m % height != 0)
        {
            throw new ArgumentException(FormattableString.Invariant($"Found M = {m}, expected a multiple of {height}."), nameof(m));
        }

        MemoryTensor input = kernel.Input("x", m, n, Type), output = kernel.Output("output", m, n, Type);
        var pieces = new ColumnTiling(n, Width);
        TileBuffer x = kernel.Sbuf("x", Width, Type, TilePipeline.Copies + 1), result = kernel.Sbuf("result", Width, Type, TilePipeline.Copies);
        TileBuffer sums = kernel.Sbuf("1 + exp(-x)", Width / 2, Type, TilePipeline.Copies + 1);
        TilePipeline.Write(2L * (m / height) * pieces.Pieces, TilePipeline.Copies, Exponential, Divide);
        return kernel.Build();

        void Exponential(long half)
        {
            if (half % 2 == 0)
            {
                kernel.Load(StreamId.QueueActivations, x[half / 2][.., ..pieces[half / 2 % pieces.Pieces]], Memory(input, half));
            }

            TileView sum = Half(sums[half], half, 0);
            kernel.Activation(ActivationFunction.Exp, sum, Half(x[half / 2], half, half % 2), 0, -1);
            kernel.TensorScalar(StreamId.Scalar, sum, sum, AluOperator.Add, 1);
        }

        void Divide(long half)
        {
            kernel.TensorTensor(StreamId.Vector, AluOperator.Divide, Half(result[half / 2], half, half % 2), Half(x[half / 2], half, half % 2), Half(sums[half], half, 0));
            if (half % 2 == 1)
            {
                kernel.Store(StreamId.QueueStores, Memory(output, half), result[half / 2][.., ..pieces[half / 2 % pieces.Pieces]]);
            }
        }

        TileView Half(Tile tile, long half, long index)
        {
            int columns = pieces[half / 2 % pieces.Pieces] / 2;
            return tile[.., ((int)index * columns)..((int)(index + 1) * columns)];
        }

        MemoryView Memory(MemoryTensor tensor, long half)
        {
            (long row, long piece) = Math.DivRem(half / 2, pieces.Pieces);
            return new MemoryView(tensor, (row * n) + pieces.Start(piece), new MemoryPattern(1, 0, height, m / height * (long)n, 1, 0, pieces[piece]));
        }
    }
}
