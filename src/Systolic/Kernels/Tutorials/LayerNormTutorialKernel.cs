using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>The public layer normalization tutorial (Neuron 2.20 to 2.26), fp32: rows of 128, mean and variance by sums (first version) or by the statistics instructions (second), then shift, scale, gain and bias.</summary>
internal sealed class LayerNormTutorialKernel
{
    private const float Epsilon = 1e-5f;
    private const int Statistics = 4;
    private readonly KernelBuilder _kernel;
    private readonly int _columns;
    private readonly TileBuffer _x;
    private readonly TileBuffer? _squares;
    private readonly TileBuffer _statistics;
    private readonly TileBuffer _pieces;

    private LayerNormTutorialKernel(KernelBuilder kernel, int columns, bool statisticsInstructions)
    {
        (_kernel, _columns) = (kernel, columns);
        _pieces = kernel.Sbuf("pieces", (columns + KernelBuilder.MaximumStatsElements - 1) / KernelBuilder.MaximumStatsElements * (long)KernelBuilder.StatsPerPiece, DataType.Fp32, 2);
        _statistics = kernel.Sbuf("statistics", Statistics, DataType.Fp32, 2);
        _squares = statisticsInstructions ? null : kernel.Sbuf("squares", columns, DataType.Fp32);
        _x = kernel.Sbuf("x", columns, DataType.Fp32, (int)Math.Clamp(kernel.FreeSbuf / ((long)columns * sizeof(float)), 1, TilePipeline.Copies));
    }

    /// <summary>Writes the program: x[rows, columns], normalized, x gain + bias.</summary>
    /// <exception cref="CapacityException">A row with gain and bias does not fit SBUF.</exception>
    public static Program Write(KernelBuilder kernel, long rows, int columns, bool statisticsInstructions)
    {
        MemoryTensor input = kernel.Input("x", rows, columns, DataType.Fp32), parameters = kernel.Input("parameters", 2, columns, DataType.Fp32), output = kernel.Output("output", rows, columns, DataType.Fp32);
        (TileView gain, TileView bias) = (kernel.Sbuf("gain", columns, DataType.Fp32)[0], kernel.Sbuf("bias", columns, DataType.Fp32)[0]);
        kernel.Load(StreamId.QueueSmall, gain, parameters.Broadcast(0, kernel.Partitions, 0, columns));
        kernel.Load(StreamId.QueueSmall, bias, parameters.Broadcast(1, kernel.Partitions, 0, columns));
        var norm = new LayerNormTutorialKernel(kernel, columns, statisticsInstructions);
        for (long tile = 0; tile * kernel.Partitions < rows; tile++)
        {
            int height = (int)Math.Min(kernel.Partitions, rows - (tile * kernel.Partitions));
            TileView x = norm._x[tile][..height, ..];
            kernel.Load(StreamId.QueueActivations, x, input.Part(tile * kernel.Partitions, height));
            norm.WriteNormalized(tile, x);
            kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, x, x, gain with { Partitions = height });
            kernel.TensorTensor(StreamId.Vector, AluOperator.Add, x, x, bias with { Partitions = height });
            kernel.Store(StreamId.QueueStores, output.Part(tile * kernel.Partitions, height), x);
        }

        return kernel.Build();
    }

    private void WriteNormalized(long tile, in TileView x)
    {
        TileView all = _statistics[tile][..x.Partitions, ..], mean = all.Every(1, 1), variance = mean.Skip(1), square = mean.Skip(2);
        if (_squares is not { } squares)
        {
            WriteMoments(tile, x, all.Every(1, 2));
        }
        else
        {
            _kernel.TensorReduce(AluOperator.Add, mean, x);
            _kernel.ActivationReduce(ActivationFunction.Square, squares[0][..x.Partitions, ..], variance, x);
            _kernel.TensorScalar(StreamId.Vector, mean, mean, AluOperator.Multiply, 1f / _columns);
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, square, mean, mean);
            _kernel.ScalarTensorTensor(variance, variance, AluOperator.Multiply, 1f / _columns, AluOperator.Subtract, square);
        }

        _kernel.Activation(ActivationFunction.Rsqrt, variance, variance, Epsilon);
        _kernel.TensorScalar(StreamId.Vector, x, x, AluOperator.Subtract, mean, AluOperator.Multiply, variance);
    }

    private void WriteMoments(long tile, in TileView x, in TileView moments)
    {
        TileView pieces = _pieces[tile][..x.Partitions, ..];
        for (int start = 0, at = 0; start < _columns; start += KernelBuilder.MaximumStatsElements, at += KernelBuilder.StatsPerPiece)
        {
            _kernel.BatchNormStats(pieces.Skip(at).Every(1, KernelBuilder.StatsPerPiece), x.Skip(start).Every(1, Math.Min(KernelBuilder.MaximumStatsElements, _columns - start)));
        }

        _kernel.BatchNormAggregate(moments, pieces);
    }
}
