using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Tests;

/// <summary>Instructions that say how much they work on, but not what they compute: for tests of time alone.</summary>
internal static class TimingOnly
{
    public static TileBuffer Sbuf(this KernelBuilder kernel, string name, long bytesPerPartition, int copies = 1) =>
        kernel.Sbuf(name, bytesPerPartition, DataType.Int8, copies);

    public static void MatMul(this KernelBuilder kernel, Tile result, Tile stationary, Tile moving, int k, int m, int n, DataType type, bool accumulate) =>
        kernel.MatMul(result.First(m, n, DataType.Fp32), stationary.First(k, m, type), moving.First(k, n, type), accumulate);

    public static void Transpose(this KernelBuilder kernel, Tile result, Tile source, int rows, int columns, DataType type) =>
        kernel.Transpose(result.First(columns, rows, type), source.First(rows, columns, type));

    public static void Copy(this KernelBuilder kernel, StreamId engine, Tile target, Tile source, int partitions, int free, DataType from, DataType to) =>
        kernel.Copy(engine, target.First(partitions, free, to), source.First(partitions, free, from));

    public static void Memset(this KernelBuilder kernel, StreamId engine, Tile target, int partitions, int free, DataType type) =>
        kernel.Memset(engine, target.First(partitions, free, type), 0);

    public static void TensorTensor(this KernelBuilder kernel, StreamId engine, Tile target, Tile first, Tile second, int partitions, int free, DataType from, DataType to) =>
        kernel.TensorTensor(engine, AluOperator.Add, target.First(partitions, free, to), first.First(partitions, free, from), second.First(partitions, free, from));

    public static void TensorScalar(this KernelBuilder kernel, StreamId engine, Tile target, Tile source, Tile? perPartition, int partitions, int free, DataType from, DataType to) =>
        kernel.TensorScalar(engine, target.First(partitions, free, to), source.First(partitions, free, from), AluOperator.Add, Scalar(perPartition, partitions));

    public static void ScalarTensorTensor(this KernelBuilder kernel, Tile target, Tile first, Tile second, int partitions, int free, DataType from, DataType to) =>
        kernel.ScalarTensorTensor(target.First(partitions, free, to), first.First(partitions, free, from), AluOperator.Add, 0, AluOperator.Add, second.First(partitions, free, from));

    public static void TensorReduce(this KernelBuilder kernel, Tile target, Tile source, int partitions, int free, DataType from, DataType to) =>
        kernel.TensorReduce(AluOperator.Add, target.First(partitions, 1, to), source.First(partitions, free, from));

    public static void Reciprocal(this KernelBuilder kernel, Tile target, Tile source, int partitions, int free, DataType type) =>
        kernel.Reciprocal(target.First(partitions, free, type), source.First(partitions, free, type));

    public static void Max8(this KernelBuilder kernel, Tile target, Tile source, int partitions, int free, DataType type) =>
        kernel.Max8(target.First(partitions, 1, type), source.First(partitions, free, type));

    public static void AffineSelect(this KernelBuilder kernel, Tile target, Tile source, int partitions, int free, DataType type) =>
        kernel.AffineSelect(target.First(partitions, free, type), source.First(partitions, free, type), default, 0);

    public static void Activation(this KernelBuilder kernel, ActivationFunction function, Tile target, Tile source, Tile? bias, int partitions, int free, DataType from, DataType to) =>
        kernel.Activation(function, target.First(partitions, free, to), source.First(partitions, free, from), Scalar(bias, partitions));

    public static void ActivationReduce(this KernelBuilder kernel, ActivationFunction function, Tile target, Tile source, Tile? bias, int partitions, int free, DataType from, DataType to) =>
        kernel.ActivationReduce(function, target.First(partitions, free, to), target.First(partitions, 1, to), source.First(partitions, free, from), Scalar(bias, partitions));

    public static void Load(this KernelBuilder kernel, StreamId queue, Tile target, int runs, long runBytes) =>
        kernel.Move(queue, Opcode.Load, runs, runBytes, new Operation { Target = Somewhere(target) });

    public static void Store(this KernelBuilder kernel, StreamId queue, Tile source, int runs, long runBytes) =>
        kernel.Move(queue, Opcode.Store, runs, runBytes, new Operation { First = Somewhere(source) });

    public static void Gather(this KernelBuilder kernel, StreamId queue, Tile target, Tile indices, int runs, long runBytes) =>
        kernel.Move(queue, Opcode.Gather, runs, runBytes, new Operation { Target = Somewhere(target), Second = Somewhere(indices) });

    public static void Scatter(this KernelBuilder kernel, StreamId queue, Tile source, Tile indices, int runs, long runBytes) =>
        kernel.Move(queue, Opcode.Scatter, runs, runBytes, new Operation { First = Somewhere(source), Second = Somewhere(indices) });

    public static void LoadTransposed(this KernelBuilder kernel, StreamId queue, Tile target, int runs, long runBytes) =>
        kernel.Move(queue, Opcode.LoadTransposed, runs, runBytes, new Operation { Target = Somewhere(target) });

    public static void LocalTranspose(this KernelBuilder kernel, Tile target, Tile source, int runs, long runBytes) =>
        kernel.Move(StreamId.QueueLocal, Opcode.LocalTranspose, runs, runBytes, new Operation { Target = Somewhere(target), First = Somewhere(source) });

    public static void MemoryCopy(this KernelBuilder kernel, StreamId queue, int runs, long runBytes) =>
        kernel.Move(queue, Opcode.MemoryCopy, runs, runBytes, default);

    public static void BatchNormStats(this KernelBuilder kernel, Tile target, Tile source, int partitions, int free, DataType from) =>
        kernel.BatchNormStats(target.First(partitions, KernelBuilder.StatsPerPiece, DataType.Fp32), source.First(partitions, free, from));

    public static void BatchNormAggregate(this KernelBuilder kernel, Tile target, Tile source, int partitions, int pieces) =>
        kernel.BatchNormAggregate(target.First(partitions, 2, DataType.Fp32), source.First(partitions, pieces * KernelBuilder.StatsPerPiece, DataType.Fp32));

    private static TileView Somewhere(Tile tile) => tile.ToTileView() with { IsWhole = true };

    /// <summary>As many elements as the instruction works on, wherever they lie.</summary>
    private static TileView First(this Tile tile, int partitions, int elements, DataType type) =>
        new(tile with { Type = type, Elements = Math.Max(tile.Elements, elements) }, 0, partitions, 0, FreePattern.Row(elements)) { IsWhole = true };

    private static ScalarOperand Scalar(Tile? perPartition, int partitions) =>
        perPartition is { } tile ? tile.First(partitions, 1, DataType.Fp32) : 0f;
}
