using System.Collections.Immutable;
using System.Globalization;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>Single instructions, read off profiles: the same instruction in a program of its own.</summary>
internal sealed class InstructionFamily : ITrainiumFamily
{
    private const string Load = "LoadStationary";

    private static readonly ImmutableArray<(string Workload, Func<KernelBuilder, TrainiumRow, SimTime> Measure)> Cases =
    [
        ("dependent back-to-back ScalarE activation", (kernel, row) => Dependent(kernel)),
        ("ScalarE activation", (kernel, row) => Activate(kernel, ActivationFunction.Identity, row)),
        ("activation(exp)", (kernel, row) => Activate(kernel, ActivationFunction.Exp, row)),
        ("activation_reduce(square, add)", ActivateAndReduce),
        ("activation function table load", (kernel, row) => LoadTable(kernel)),
        ("tensor_reduce(abs max)", Reduce),
        ("tensor_scalar quantize", Quantize),
        ("scalar_tensor_tensor", ScalarTensorTensor),
        ("MultiplyMoving", Multiply),
    ];

    /// <inheritdoc/>
    public string Name => "instruction";

    /// <inheritdoc/>
    public bool Takes(TrainiumRow row) => row.Metric is "instruction duration" or "initiation interval";

    /// <inheritdoc/>
    public TrainiumPrediction Predict(TrainiumRow row)
    {
        if (row.Workload.StartsWith(Load, StringComparison.Ordinal))
        {
            return TrainiumPrediction.Skip("loading the stationary operand is a part of the product here, not an instruction");
        }

        foreach ((string workload, Func<KernelBuilder, TrainiumRow, SimTime> measure) in Cases)
        {
            if (row.Workload.StartsWith(workload, StringComparison.Ordinal))
            {
                return TrainiumPrediction.Of(measure(new KernelBuilder(KernelTiming.Machine(row), row.Id), row));
            }
        }

        return TrainiumPrediction.Skip($"no such instruction: {row.Workload}");
    }

    private static SimTime Dependent(KernelBuilder kernel)
    {
        TileView one = kernel.Sbuf("x", 1, DataType.Fp32)[0][..kernel.Partitions, ..1];
        kernel.Activation(ActivationFunction.Identity, one, one);
        kernel.Activation(ActivationFunction.Identity, one, one);
        KernelTiming timing = Time(kernel);
        return new SimTime(timing.Start(StreamId.Scalar, 1) - timing.Start(StreamId.Scalar, 0));
    }

    private static SimTime LoadTable(KernelBuilder kernel)
    {
        (TileView target, TileView source) = Tiles(kernel, kernel.Partitions, 1, DataType.Fp32, DataType.Fp32);
        kernel.Activation(ActivationFunction.Exp, target, source);
        kernel.Activation(ActivationFunction.Exp, target, source);
        KernelTiming timing = Time(kernel);
        return timing.Duration(StreamId.Scalar, 0) - timing.Duration(StreamId.Scalar, 1);
    }

    private static SimTime Activate(KernelBuilder kernel, ActivationFunction function, TrainiumRow row)
    {
        (TileView target, TileView source) = Tiles(kernel, row);
        kernel.Activation(function, target, source);
        kernel.Activation(function, target, source);
        return Time(kernel).Duration(StreamId.Scalar, 1);
    }

    private static SimTime ActivateAndReduce(KernelBuilder kernel, TrainiumRow row)
    {
        (TileView target, TileView source) = Tiles(kernel, row);
        kernel.ActivationReduce(ActivationFunction.Square, target, kernel.Sbuf("sum", 1, DataType.Fp32)[0][..source.Partitions, ..1], source);
        return Time(kernel).Duration(StreamId.Scalar, 0);
    }

    private static SimTime Reduce(KernelBuilder kernel, TrainiumRow row)
    {
        (TileView target, TileView source) = Tiles(kernel, row);
        kernel.TensorReduce(AluOperator.Maximum, target with { Free = FreePattern.Row(1) }, source);
        return Time(kernel).Duration(StreamId.Vector, 0);
    }

    private static SimTime Quantize(KernelBuilder kernel, TrainiumRow row)
    {
        (int partitions, int elements) = Sizes(row);
        (TileView target, TileView source) = Tiles(kernel, partitions, elements, DataType.Fp8E4M3, DataType.Bf16);
        kernel.TensorScalar(StreamId.Vector, target, source, AluOperator.Multiply, 2);
        return Time(kernel).Duration(StreamId.Vector, 0);
    }

    private static SimTime ScalarTensorTensor(KernelBuilder kernel, TrainiumRow row)
    {
        (TileView target, TileView source) = Tiles(kernel, row);
        kernel.ScalarTensorTensor(target, source, AluOperator.Multiply, 2, AluOperator.Multiply, kernel.Psum("y", 1)[0][..source.Partitions, ..source.Elements]);
        return Time(kernel).Duration(StreamId.Vector, 0);
    }

    private static SimTime Multiply(KernelBuilder kernel, TrainiumRow row)
    {
        (int k, int n) = (row.Size("K"), row.Size("N"));
        TileView stationary = kernel.Sbuf("stationary", kernel.Partitions, DataType.Bf16)[0][..k, ..], moving = kernel.Sbuf("moving", n, DataType.Bf16)[0][..k, ..];
        TileBuffer results = kernel.Psum("result", 2);
        kernel.MatMul(results[0][.., ..n], stationary, moving, false);
        kernel.MatMul(results[1][.., ..n], stationary, moving, false);
        return Time(kernel).Duration(StreamId.Tensor, 1);
    }

    private static (TileView Target, TileView Source) Tiles(KernelBuilder kernel, TrainiumRow row)
    {
        (int partitions, int elements) = Sizes(row);
        DataType type = row.ElementType(DataType.Bf16);
        return Tiles(kernel, partitions, elements, type, type);
    }

    private static (TileView Target, TileView Source) Tiles(KernelBuilder kernel, int partitions, int elements, DataType target, DataType source) =>
        (kernel.Sbuf("target", elements, target)[0][..partitions, ..], kernel.Sbuf("source", elements, source)[0][..partitions, ..]);

    /// <summary>Partitions and elements of a shape such as "[128,512] per instruction" or "bf16 [4,4096] = 32 KiB".</summary>
    internal static (int Partitions, int Elements) Sizes(TrainiumRow row)
    {
        int open = row.Shapes.IndexOf('[', StringComparison.Ordinal), close = row.Shapes.IndexOf(']', StringComparison.Ordinal);
        string[] sizes = open >= 0 && close > open ? row.Shapes[(open + 1)..close].Split(',') : [];
        return sizes.Length == 2 && int.TryParse(sizes[0], NumberStyles.None, CultureInfo.InvariantCulture, out int partitions)
            && int.TryParse(sizes[1], NumberStyles.None, CultureInfo.InvariantCulture, out int elements)
            ? (partitions, elements)
            : throw new FormatException($"{row.Id}: found the shapes \"{row.Shapes}\", expected [partitions,elements].");
    }

    private static KernelTiming Time(KernelBuilder kernel) => KernelTiming.Of(kernel.Build(), kernel.Machine);
}
