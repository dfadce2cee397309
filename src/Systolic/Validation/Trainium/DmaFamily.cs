using System.Globalization;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>Single transfers, read off profiles, and a public chart of throughput against bytes per partition.</summary>
internal sealed class DmaFamily : ITrainiumFamily
{
    private const int SaturatedBytes = 32768;
    private const int ChartTransfers = 64;
    private const int Copies = 4;

    /// <inheritdoc/>
    public string Name => "dma";

    /// <inheritdoc/>
    public bool Takes(TrainiumRow row) => row.Workload.StartsWith("DMA ", StringComparison.Ordinal);

    /// <inheritdoc/>
    public TrainiumPrediction Predict(TrainiumRow row)
    {
        Accelerator machine = KernelTiming.Machine(row);
        if (row.Workload.Contains("throughput", StringComparison.Ordinal))
        {
            return TrainiumPrediction.Of(100 * Rate(machine, PerPartition(row)) / Rate(machine, SaturatedBytes));
        }

        bool store = row.Workload.Contains("store", StringComparison.Ordinal), software = row.Workload.Contains("software", StringComparison.Ordinal);
        (int partitions, int elements) = store ? (machine.Sbuf.Partitions, 1024) : InstructionFamily.Sizes(row);
        KernelTiming timing = One(machine, partitions, elements, store ? DataType.Fp32 : DataType.Bf16, store, software);
        StreamId queue = store ? StreamId.QueueStores : StreamId.QueueActivations;
        long complete = timing.End(queue, 0) - machine.Dma.CompletionLatency.Value;
        return row.Metric switch
        {
            "DMA transfer duration" or "DMA transfer duration (one engine)" => TrainiumPrediction.Of(Moving(timing, machine, partitions)),
            "trigger-to-complete latency" => TrainiumPrediction.Of(new SimTime(complete - timing.Start(queue, 0))),
            "trigger-to-start latency" => TrainiumPrediction.Of(machine.Dma.TriggerLatency),
            "semaphore wake-up latency" => TrainiumPrediction.Of(new SimTime(timing.Start(StreamId.Scalar, 0) - complete)),
            _ => TrainiumPrediction.Skip($"no such measure of a transfer: {row.Metric}"),
        };
    }

    /// <summary>For how long one engine moves data: the busy time of all, for those that have work.</summary>
    private static SimTime Moving(KernelTiming timing, Accelerator machine, int partitions)
    {
        int engines = Math.Min(machine.Dma.Engines, (partitions + machine.Dma.PartitionsPerEngine - 1) / machine.Dma.PartitionsPerEngine);
        return new SimTime(timing.Run.Busy[^1].Value * machine.Dma.Engines / engines);
    }

    private static KernelTiming One(Accelerator machine, int partitions, int elements, DataType type, bool store, bool software)
    {
        var kernel = new KernelBuilder(machine, "one transfer") { Descriptors = software ? DescriptorSource.Software : DescriptorSource.Compiled };
        TileView tile = kernel.Sbuf("x", elements, type)[0][..partitions, ..];
        if (store)
        {
            kernel.Store(StreamId.QueueStores, kernel.Output("y", partitions, elements, type).Part(0, partitions), tile);
        }
        else
        {
            kernel.Load(StreamId.QueueActivations, tile, kernel.Input("x", partitions, elements, type).Part(0, partitions));
            kernel.Activation(ActivationFunction.Identity, tile, tile);
        }

        return KernelTiming.Of(kernel.Build(), machine);
    }

    /// <summary>Bytes per second of many transfers of <paramref name="bytes"/> in each partition, described by software as in the kernel of the chart.</summary>
    private static double Rate(Accelerator machine, int bytes)
    {
        var kernel = new KernelBuilder(machine, "transfers") { Descriptors = DescriptorSource.Software };
        int partitions = kernel.Partitions;
        TileBuffer tiles = kernel.Sbuf("x", bytes, DataType.Int8, Copies);
        MemoryTensor input = kernel.Input("x", (long)partitions * ChartTransfers, bytes, DataType.Int8);
        for (int i = 0; i < ChartTransfers; i++)
        {
            kernel.Load(StreamId.QueueActivations, tiles[i], input.Part((long)i * partitions, partitions));
        }

        KernelTiming timing = KernelTiming.Of(kernel.Build(), machine);
        double seconds = (timing.End(StreamId.QueueActivations, ChartTransfers - 1) - timing.End(StreamId.QueueActivations, 0)) / 1e15;
        return (double)bytes * partitions * (ChartTransfers - 1) / seconds;
    }

    /// <summary>The size in a shape such as "128 partitions x 512 B".</summary>
    private static int PerPartition(TrainiumRow row)
    {
        string[] words = row.Shapes.Split(' ');
        return words.Length >= 2 && words[^1] == "B" && int.TryParse(words[^2], NumberStyles.None, CultureInfo.InvariantCulture, out int bytes) && bytes is > 0 and <= SaturatedBytes
            ? bytes
            : throw new FormatException($"{row.Id}: found the shapes \"{row.Shapes}\", expected partitions x 1 to {SaturatedBytes} B.");
    }
}
