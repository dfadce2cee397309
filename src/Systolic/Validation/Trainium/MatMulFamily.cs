using System.Collections.Immutable;
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

        (int m, int k, int n) = (row.Size("M"), row.Size("K"), row.Size("N"));
        if (!_timed.TryGetValue((row.Device, row.Workload, row.Shapes), out KernelTiming? timing))
        {
            timing = KernelTiming.Of(row, kernel =>
            {
                kernel.Descriptors = found.Descriptors;
                return TutorialMatMulKernel.Write(kernel, found.Stage, m, k, n, row.ElementType(DataType.Bf16), found.Blocks, found.WholeArrays);
            });
            _timed.Add((row.Device, row.Workload, row.Shapes), timing);
        }

        return timing.Figure(row, (double)m * k * n);
    }
}
