using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>rope_single_freq_apply of NKIBench, fp32: features on partitions, 512 tokens at a time; six passes of the vector engine over half of the partitions.</summary>
/// <remarks>Every buffer is declared once and used by all tiles, so a tile is loaded when the one before has been rotated. ScalarE moves the second halves to the partitions of the first, and back.</remarks>
internal static class NkiBenchRope
{
    private const DataType Type = DataType.Fp32;

    /// <summary>Writes the program for x[features, tokens] and a cosine and a sine for each pair of features and token.</summary>
    public static Program Write(KernelBuilder kernel, int features, int tokens)
    {
        int half = features / 2, width = kernel.BankColumns;
        MemoryTensor x = kernel.Input("x", features, tokens, Type), cosines = kernel.Input("cosines", half, tokens, Type), sines = kernel.Input("sines", half, tokens, Type);
        MemoryTensor output = kernel.Output("output", features, tokens, Type);
        Tile input = Buffer("x"), rotated = Buffer("result"), table = kernel.Sbuf("cosines and sines", 2L * width, Type)[0], second = Buffer("second half");
        Tile firstCos = Buffer("first cos"), firstSin = Buffer("first sin"), secondCos = Buffer("second cos"), secondSin = Buffer("second sin"), sum = Buffer("rotated second half");
        for (long start = 0; start < tokens; start += width)
        {
            int columns = (int)Math.Min(width, tokens - start);
            TileView cosine = table[..half, ..columns], sine = table[..half, width..(width + columns)];
            TileView Upper(Tile tile) => tile[..half, ..columns];
            kernel.Load(StreamId.QueueActivations, input[..features, ..columns], x.Part(0, features, start, columns));
            kernel.Load(StreamId.QueueActivations, cosine, cosines.Part(0, half, start, columns));
            kernel.Load(StreamId.QueueActivations, sine, sines.Part(0, half, start, columns));
            kernel.Copy(StreamId.Scalar, Upper(second), input[half..features, ..columns]);
            kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, Upper(firstCos), Upper(input), cosine);
            kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, Upper(secondCos), Upper(second), cosine);
            kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, Upper(firstSin), Upper(input), sine);
            kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, Upper(secondSin), Upper(second), sine);
            kernel.TensorTensor(StreamId.Vector, AluOperator.Subtract, Upper(rotated), Upper(firstCos), Upper(secondSin));
            kernel.TensorTensor(StreamId.Vector, AluOperator.Add, Upper(sum), Upper(secondCos), Upper(firstSin));
            kernel.Copy(StreamId.Scalar, rotated[half..features, ..columns], Upper(sum));
            kernel.Store(StreamId.QueueStores, output.Part(0, features, start, columns), rotated[..features, ..columns]);
        }

        return kernel.Build();

        Tile Buffer(string name) => kernel.Sbuf(name, width, Type)[0];
    }
}
