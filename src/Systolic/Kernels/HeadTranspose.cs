using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Transposes rows of a head (tokens on partitions) through the array, so that the head dimension lies on partitions: a slice of 128 features after the other.</summary>
internal sealed class HeadTranspose(KernelBuilder kernel, AttentionPlan plan, TileBuffer banks)
{
    private long _round;

    /// <summary>Writes <paramref name="tokens"/> tokens of <paramref name="source"/>, chunks of as many as there are partitions side by side, to <paramref name="target"/>.</summary>
    /// <param name="target">A slice of features every <paramref name="sliceStride"/> elements.</param>
    /// <param name="source">Token t at partition t mod P, behind t div P other tokens.</param>
    /// <param name="tokens">Number of tokens.</param>
    /// <param name="sliceStride">From slice to slice.</param>
    /// <param name="features">Features of a token.</param>
    public void Write(Tile target, Tile source, int tokens, int sliceStride, long features)
    {
        for (int first = 0, start = 0; first < features; first += plan.Partitions, start += sliceStride)
        {
            int columns = (int)Math.Min(plan.Partitions, features - first);
            Tile bank = banks[_round++];
            for (int token = 0; token < tokens; token += plan.Partitions)
            {
                int rows = Math.Min(plan.Partitions, tokens - token), column = (int)(token / plan.Partitions * features) + first;
                kernel.Transpose(bank[..columns, token..(token + rows)], source[..rows, column..(column + columns)]);
            }

            kernel.Copy(StreamId.Scalar, target[..columns, start..(start + tokens)], bank[..columns, ..tokens]);
        }
    }
}
