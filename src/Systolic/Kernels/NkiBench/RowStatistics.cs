using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Maxima or sums of rows that come in pieces.</summary>
internal static class RowStatistics
{
    /// <summary>Reduces a piece to one value per row and merges it with those before, on the vector engine.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="op">Maximum or Add.</param>
    /// <param name="statistics">The result in its first element; the second is scratch.</param>
    /// <param name="piece">The piece.</param>
    /// <param name="isFirst">There is none before.</param>
    public static void Merge(KernelBuilder kernel, AluOperator op, Tile statistics, in TileView piece, bool isFirst)
    {
        TileView all = statistics[.., ..1], part = statistics[.., 1..2];
        kernel.TensorReduce(op, isFirst ? all : part, piece);
        if (!isFirst)
        {
            kernel.TensorTensor(StreamId.Vector, op, all, all, part);
        }
    }
}
