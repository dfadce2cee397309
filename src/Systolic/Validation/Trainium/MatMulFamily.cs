using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Validation;

/// <summary>The ladders of the public matrix-product tutorials: the same product with more and more reuse.</summary>
internal sealed class MatMulFamily : ITrainiumFamily
{
    private static readonly MatMulBlocks One = new(1, 1, 1);
    private static readonly MatMulBlocks Free = new(2, 2, 0);
    private static readonly MatMulBlocks Full = new(16, 2, 8);
    private static readonly MatMulBlocks Stationary = new(4, 4, 8);

    /// <summary>What each ladder runs: the tutorial of 2024 (its compiler described transfers by software and moved arrays as one), that of 2026 (by hardware), and public readings of the same kernels.</summary>
    private static readonly ImmutableArray<(string Workload, MatMulStage Stage, MatMulBlocks Blocks, DescriptorSource Descriptors, bool WholeArrays)> Steps =
    [
        ("matmul tiled", MatMulStage.Tiled, One, DescriptorSource.Software, true),
        ("matmul hoisted", MatMulStage.Hoisted, One, DescriptorSource.Software, true),
        ("matmul blocked free", MatMulStage.FreeBlocked, Free, DescriptorSource.Software, true),
        ("matmul fully blocked", MatMulStage.FullyBlocked, Full, DescriptorSource.Software, true),
        ("matmul v2 tiled", MatMulStage.Tiled, One, DescriptorSource.Hardware, false),
        ("matmul v3 hoisted", MatMulStage.Hoisted, One, DescriptorSource.Hardware, false),
        ("matmul v4 blocked free", MatMulStage.FreeBlocked, Free, DescriptorSource.Hardware, false),
        ("matmul v5 blocked all", MatMulStage.FullyBlocked, Full, DescriptorSource.Hardware, false),
        ("gemm tiled baseline", MatMulStage.Tiled, One, DescriptorSource.Compiled, false),
        ("gemm 2x2 tile reuse", MatMulStage.Tiled, Free, DescriptorSource.Compiled, false),
        ("gemm final", MatMulStage.FullyBlocked, Full, DescriptorSource.Compiled, false),
        ("nki-samples contributed matmul (Z-stationary", MatMulStage.ResultStationary, Stationary, DescriptorSource.Compiled, false),
    ];

    private readonly Dictionary<(string, string, string), KernelTiming> _timed = [];

    /// <inheritdoc/>
    public string Name => "matmul";

    /// <inheritdoc/>
    public bool Takes(TrainiumRow row) => row.Workload.StartsWith("matmul ", StringComparison.Ordinal) || row.Workload.StartsWith("gemm ", StringComparison.Ordinal)
        || row.Workload.StartsWith("nki-samples contributed matmul", StringComparison.Ordinal);

    /// <inheritdoc/>
    public TrainiumPrediction Predict(TrainiumRow row)
    {
        if (Steps.FirstOrDefault(step => row.Workload.StartsWith(step.Workload, StringComparison.Ordinal)) is not { Workload: not null } found)
        {
            return TrainiumPrediction.Skip("the text of this step is not public");
        }

        Accelerator machine = KernelTiming.Machine(row);
        (int m, int k, int n) = (row.Size("M"), row.Size("K"), row.Size("N"));
        if (!_timed.TryGetValue((row.Device, row.Workload, row.Shapes), out KernelTiming? timing))
        {
            var kernel = new KernelBuilder(machine, row.Id) { Descriptors = found.Descriptors };
            timing = KernelTiming.Of(TutorialMatMulKernel.Write(kernel, found.Stage, m, k, n, Type(row), found.Blocks, found.WholeArrays), machine);
            _timed.Add((row.Device, row.Workload, row.Shapes), timing);
        }

        return Figure(row, timing, machine, (double)m * k * n);
    }

    /// <summary>A profiler's figure of a kernel of <paramref name="macs"/> multiply-accumulates.</summary>
    internal static TrainiumPrediction Figure(TrainiumRow row, KernelTiming timing, Accelerator machine, double macs) => row.Metric switch
    {
        "HFU" or "HFU (= MFU)" => TrainiumPrediction.Of(100 * macs / (machine.TensorEngine.PeakMacsPerSecond(DataType.Bf16) * timing.Time.Seconds)),
        "tensor_engine_active_time" => TrainiumPrediction.Of(timing.Active(StreamId.Tensor)),
        "tensor_engine_active_time_percent" => TrainiumPrediction.Of(timing.Percent(timing.Active(StreamId.Tensor))),
        "vector_engine_active_time_percent" or "vector_engine_active_time_percent (core region)" => TrainiumPrediction.Of(timing.Percent(timing.Active(StreamId.Vector))),
        "scalar_engine_active_time_percent" => TrainiumPrediction.Of(timing.Percent(timing.Active(StreamId.Scalar))),
        "dma_active_time" => TrainiumPrediction.Of(timing.TransfersActive()),
        "dma_active_time_percent" => TrainiumPrediction.Of(timing.Percent(timing.TransfersActive())),
        "mbu_estimated_percent" => TrainiumPrediction.Of(100 * timing.MemoryBytes / (machine.Memory.Bandwidth.BytesPerSecond * timing.Time.Seconds)),
        "hbm_read_bytes" => TrainiumPrediction.Of((double)timing.Run.Counts[ActivityKind.DramReadByte]),
        "hbm_write_bytes" => TrainiumPrediction.Of((double)timing.Run.Counts[ActivityKind.DramWriteByte]),
        "dma_packet_time (summed over engines)" => TrainiumPrediction.Skip("how the profiler counts packets that wait is not published"),
        "spill_save_bytes" or "spill_reload_bytes" => TrainiumPrediction.Skip("spills are the compiler's"),
        _ => TrainiumPrediction.Of(timing.Time),
    };

    private static DataType Type(TrainiumRow row) => row.Type switch { "fp32" => DataType.Fp32, "fp16" => DataType.Fp16, _ => DataType.Bf16 };
}
