using CsCheck;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Tests.Simulation;

/// <summary>Small programs of random instructions over a few tiles, so that reads and writes collide.</summary>
internal static class RandomPrograms
{
    private const int Tiles = 5;

    /// <summary>One random instruction.</summary>
    internal readonly record struct Step(int Kind, int Target, int First, int Second, int Free);

    public static Gen<Step[]> EnginesOnly { get; } = Steps(7);

    public static Gen<Step[]> All { get; } = Steps(12);

    private static Gen<Step[]> Steps(int kinds) =>
        Gen.Select(Gen.Int[0, kinds - 1], Gen.Int[0, Tiles - 1], Gen.Int[0, Tiles - 1], Gen.Int[0, Tiles - 1], Gen.Int[1, 512])
            .Select((kind, target, first, second, free) => new Step(kind, target, first, second, free)).Array[1, 60];

    /// <summary>Writes the program; with one queue the order in which transfers are served is fixed.</summary>
    public static Programs.Program Write(Step[] steps, Accelerator machine, bool oneQueue = false, DescriptorSource descriptors = DescriptorSource.Compiled)
    {
        bool possible = descriptors is not (DescriptorSource.Hardware or DescriptorSource.HardwareOneBlock) || machine.Dma.DescriptorBlocks > 0;
        var kernel = new KernelBuilder(machine, "random") { Descriptors = possible ? descriptors : DescriptorSource.Software };
        TileBuffer sbuf = kernel.Sbuf("tiles", 4096, Tiles), psum = kernel.Psum("banks", 2);
        foreach (Step step in steps)
        {
            Write(kernel, step, sbuf, psum, oneQueue);
        }

        return kernel.Build();
    }

    private static void Write(KernelBuilder kernel, Step step, TileBuffer sbuf, TileBuffer psum, bool oneQueue)
    {
        (Tile target, Tile first, Tile second, int free) = (sbuf[step.Target], sbuf[step.First], sbuf[step.Second], step.Free);
        switch (step.Kind)
        {
            case 0:
                kernel.MatMul(psum[step.Target], first, second, 128, 128, free, DataType.Bf16, false);
                break;
            case 1:
                kernel.Copy(StreamId.Vector, target, psum[step.First], 128, free, DataType.Fp32, DataType.Fp32);
                break;
            case 2:
                kernel.TensorTensor(StreamId.Vector, target, first, second, 128, free, DataType.Fp32, DataType.Fp32);
                break;
            case 3:
                kernel.Activation(ActivationFunction.Exp, target, first, second, 128, free, DataType.Fp32, DataType.Fp32);
                break;
            case 4:
                kernel.Activation(ActivationFunction.Gelu, target, first, null, 128, free, DataType.Fp32, DataType.Fp32);
                break;
            case 5:
                kernel.ActivationReduce(ActivationFunction.Square, target, first, null, 128, free, DataType.Fp32, DataType.Fp32);
                break;
            case 6:
                kernel.AffineSelect(target, first, 128, free, DataType.Fp32);
                break;
            case 7:
                kernel.Load(StreamId.QueueActivations, target, 1 + (free % 128), free * 4);
                break;
            case 8:
                kernel.Load(oneQueue ? StreamId.QueueActivations : StreamId.QueueWeights, target, 128, free * 4);
                break;
            case 9:
                kernel.Store(oneQueue ? StreamId.QueueActivations : StreamId.QueueStores, first, 128, free * 4);
                break;
            case 10:
                kernel.Gather(oneQueue ? StreamId.QueueActivations : StreamId.QueueSmall, target, first, 128, free * 4);
                break;
            default:
                kernel.Barrier(target);
                break;
        }
    }
}
