using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>mamba of NKIBench, fp32: for each state and 128 channels the selective scan over all tokens, its results weighted and summed over the states.</summary>
/// <remarks>
/// delta x u and the sums of all channels stay in SBUF; delta is read again for every state. B and C of a state are spread over the partitions by the array and read from PSUM. The compiler of the
/// published run spilled besides; that is not represented.
/// </remarks>
internal static class NkiBenchScan
{
    private const int Copies = 3;
    private const DataType Type = DataType.Fp32;

    /// <summary>Writes the program for delta and u [channels, tokens], A [channels, states], B and C [states, tokens].</summary>
    public static Program Write(KernelBuilder kernel, int channels, int tokens, int states)
    {
        int height = kernel.Partitions, tiles = channels / height;
        if (channels % height != 0 || tokens > kernel.BankColumns)
        {
            throw new ArgumentException(FormattableString.Invariant($"Found {channels} channels and {tokens} tokens, expected a multiple of {height} channels and at most {kernel.BankColumns} tokens."), nameof(channels));
        }

        MemoryTensor delta = kernel.Input("delta", channels, tokens, Type), u = kernel.Input("u", channels, tokens, Type), a = kernel.Input("A", channels, states, Type);
        MemoryTensor[] rows = [kernel.Input("B", states, tokens, Type), kernel.Input("C", states, tokens, Type)];
        MemoryTensor output = kernel.Output("output", channels, tokens, Type);
        TileBuffer products = kernel.Sbuf("delta x u", tokens, Type, tiles), sums = kernel.Sbuf("sums", tokens, Type, tiles);
        TileBuffer deltas = kernel.Sbuf("delta", tokens, Type, Copies), rates = kernel.Sbuf("A", 1, Type, Copies), decays = kernel.Sbuf("exp(delta A)", tokens, Type, Copies);
        TileBuffer scanned = kernel.Sbuf("scan", tokens, Type, Copies), row = kernel.Sbuf("B and C", tokens, Type, 4), spread = kernel.Psum("B and C of every partition", 4);
        TileView ones = kernel.Sbuf("ones", height, Type)[0][..1, ..];
        kernel.Memset(StreamId.Vector, ones, 1);
        for (int state = 0; state < states; state++)
        {
            for (int i = 0; i < rows.Length; i++)
            {
                long index = (2L * state) + i;
                kernel.Load(StreamId.QueueSmall, row[index][..1, ..], rows[i].Part(state, 1));
                kernel.MatMul(spread[index][.., ..tokens], ones, row[index][..1, ..], false);
            }

            for (int tile = 0; tile < tiles; tile++)
            {
                Advance(state, tile);
            }
        }

        for (int tile = 0; tile < tiles; tile++)
        {
            kernel.Store(StreamId.QueueStores, output.Part((long)tile * height, height), sums[tile]);
        }

        return kernel.Build();

        void Advance(int state, int tile)
        {
            long round = ((long)state * tiles) + tile;
            TileView part = deltas[round], decay = decays[round], scan = scanned[round], product = products[tile];
            TileView b = spread[2L * state][.., ..tokens], c = spread[(2L * state) + 1][.., ..tokens];
            kernel.Load(StreamId.QueueActivations, part, delta.Part((long)tile * height, height));
            kernel.Load(StreamId.QueueSmall, rates[round], a.Part((long)tile * height, height, state, 1));
            kernel.Activation(ActivationFunction.Exp, decay, part, 0, rates[round].ToTileView());
            if (state == 0)
            {
                kernel.Load(StreamId.QueueActivations, product, u.Part((long)tile * height, height));
                kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, product, part, product);
            }

            kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, scan, product, b);
            kernel.Scan(scan, decay, AluOperator.Multiply, scan, AluOperator.Add);
            kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, state == 0 ? sums[tile] : scan, scan, c);
            if (state > 0)
            {
                kernel.TensorTensor(StreamId.Vector, AluOperator.Add, sums[tile], sums[tile], scan);
            }
        }
    }
}
