using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Kernels;

/// <summary>Additions and layer norms on a machine that converts their type: each piece is loaded, converted to fp32, computed, converted back and stored.</summary>
internal static class WindowedRows
{
    private const int Piece = 256;
    private const int Copies = 2;
    private const int Ahead = 4;

    /// <summary>What a measured layer norm takes beside its passes, whatever its size; fitted on them, the cause is not known.</summary>
    public static SimTime NormSetup { get; } = SimTime.FromSeconds(6e-6);

    /// <summary>The core's share of a sum of two [rows, columns] tensors, padded to registers with either axis on the lanes.</summary>
    public static Program Add(Accelerator machine, string name, int rows, int columns, DataType type)
    {
        var kernel = new KernelBuilder(machine, name);
        int lanes = kernel.Partitions, sublanes = machine.VectorEngine.Registers?.ElementsPerLane ?? 1;
        long padded = Math.Min(Up(rows, sublanes) * Up(columns, lanes), Up(columns, sublanes) * Up(rows, lanes));
        int width = (int)Up(padded / lanes, sublanes * machine.Cores) / machine.Cores;
        (MemoryTensor first, MemoryTensor second) = (kernel.Input("first", lanes, width, type), kernel.Input("second", lanes, width, type));
        MemoryTensor result = kernel.Output("sum", lanes, width, type);
        int most = Math.Min(width, Piece);
        (TileBuffer rawFirst, TileBuffer rawSecond) = (kernel.Sbuf("first as stored", most, type, Ahead), kernel.Sbuf("second as stored", most, type, Ahead));
        (TileBuffer left, TileBuffer right) = (kernel.Sbuf("first", most, DataType.Fp32, Copies), kernel.Sbuf("second", most, DataType.Fp32, Copies));
        TileBuffer sum = kernel.Sbuf("sum", most, type, Copies);
        for (int start = 0, round = 0; start < width; start += Piece, round++)
        {
            int piece = Math.Min(Piece, width - start);
            Convert(kernel, StreamId.QueueActivations, left[round][.., ..piece], rawFirst[round][.., ..piece], first.Flat((long)start * lanes, lanes, piece));
            Convert(kernel, StreamId.QueueWeights, right[round][.., ..piece], rawSecond[round][.., ..piece], second.Flat((long)start * lanes, lanes, piece));
            TileView target = left[round][.., ..piece];
            kernel.TensorTensor(StreamId.Vector, AluOperator.Add, target, target, right[round][.., ..piece]);
            kernel.Copy(StreamId.Vector, sum[round][.., ..piece], target);
            kernel.Store(StreamId.QueueStores, result.Flat((long)start * lanes, lanes, piece), sum[round][.., ..piece]);
        }

        return kernel.Build();
    }

    /// <summary>The core's share of a layer norm of [rows, columns] over the columns, without scale and shift: rows on the lanes.</summary>
    /// <remarks>The mean, the squared differences and the normalization each pass over the row once.</remarks>
    public static Program LayerNorm(Accelerator machine, string name, int rows, int columns, DataType type)
    {
        var kernel = new KernelBuilder(machine, name);
        int lanes = kernel.Partitions, groups = ((int)(Up(rows, lanes) / lanes) + machine.Cores - 1) / machine.Cores;
        Range[] pieces = [.. Enumerable.Range(0, (columns + Piece - 1) / Piece).Select(i => (i * Piece)..Math.Min(columns, (i + 1) * Piece))];
        MemoryTensor source = kernel.Input("x", (long)groups * lanes, columns, type), result = kernel.Output("norm", (long)groups * lanes, columns, type);
        (TileBuffer raw, TileBuffer wide) = (kernel.Sbuf("x as stored", columns, type, Copies), kernel.Sbuf("x", columns, DataType.Fp32, Copies));
        TileBuffer narrow = kernel.Sbuf("norm", columns, type, Copies), moments = kernel.Sbuf("sum, mean, variance, root", 4, DataType.Fp32, Copies);
        TileBuffer statistics = kernel.Sbuf("statistics", pieces.Length * KernelBuilder.StatsPerPiece, DataType.Fp32, Copies);
        for (int group = 0; group < groups; group++)
        {
            (Tile x, Tile moment, Tile all, Tile norm) = (wide[group], moments[group], statistics[group], narrow[group]);
            kernel.Load(StreamId.QueueActivations, raw[group], source.Part((long)group * lanes, lanes));
            foreach (Range piece in pieces)
            {
                kernel.Copy(StreamId.Vector, x[.., piece], raw[group][.., piece]);
            }

            kernel.TensorReduce(AluOperator.Add, moment[.., ..1], x);
            for (int i = 0; i < pieces.Length; i++)
            {
                kernel.BatchNormStats(all[.., (i * KernelBuilder.StatsPerPiece)..((i + 1) * KernelBuilder.StatsPerPiece)], x[.., pieces[i]]);
            }

            kernel.BatchNormAggregate(moment[.., 1..3], all);
            kernel.Activation(ActivationFunction.Rsqrt, moment[.., 3..4], moment[.., 2..3]);
            foreach (Range piece in pieces)
            {
                kernel.TensorScalar(StreamId.Vector, norm[.., piece], x[.., piece], AluOperator.Subtract, moment[.., 1..2], AluOperator.Multiply, moment[.., 3..4]);
            }

            kernel.Store(StreamId.QueueStores, result.Part((long)group * lanes, lanes), norm);
        }

        return kernel.Build();
    }

    private static void Convert(KernelBuilder kernel, StreamId queue, in TileView target, in TileView raw, in MemoryView source)
    {
        kernel.Load(queue, raw, source);
        kernel.Copy(StreamId.Vector, target, raw);
    }

    private static long Up(long size, int unit) => (size + unit - 1) / unit * unit;
}
