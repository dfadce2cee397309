using Systolic.Numerics;
using Systolic.Simt;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Matrix products of vendor libraries.</summary>
internal static class GpuProducts
{
    private const int PackedIntegers = 4;

    /// <summary>Energy of a dot product of four 8-bit pairs over that of an fp32 multiply-add. Fitted on DeepBench int8 readings of the T4, which its cap holds down.</summary>
    private const double PackedEnergy = 0.42;

    /// <summary>Energy of operands that are all zeros over random ones. Set: 894 against 788 TFLOPS of the same product on an H200.</summary>
    private const double ZerosEnergy = 0.75;

    /// <summary>Predicts a row.</summary>
    public static GpuPrediction Predict(GpuRow row, GpuBench bench)
    {
        if (row.Variant is "WGMMA TMA 128x128" or "WGMMA double-buffered, cp.async" or "mma.sync operands from global" or "fast.cu kernel")
        {
            return GpuPrediction.Refuse("a hand-written kernel, not the library's");
        }

        MatMul product = Product(row);
        bool tensor = bench.Spec.Rate(product.Type).OnTensorCores;
        double energy = row.TypeName == "int8" ? PackedEnergy : row.Variant == "zeros" ? ZerosEnergy : 1;
        PowerCapSpec power = bench.Spec.Power;
        GpuBench driven = bench with { Spec = bench.Spec with { Power = power with { PerFlop = power.PerFlop * energy } } };
        return new GpuPrediction(Class(row, bench.Spec, tensor)) { Seconds = driven.Seconds(product) };
    }

    /// <summary>The product; int8 of a row-major or column-major call without the interleaved layout of tensor cores multiplies four packed integers per lane and cycle (DP4A), as fp32 kernels multiply words.</summary>
    private static MatMul Product(GpuRow row) => row.TypeName == "int8"
        ? new MatMul(row.Id, row.M, (row.K + PackedIntegers - 1) / PackedIntegers, row.N, Math.Max(1, row.Batch)) { Type = DataType.Fp32, OutputType = DataType.Fp32 }
        : new MatMul(row.Id, row.M, row.K, row.N, Math.Max(1, row.Batch))
        {
            Type = row.Type,
            OutputType = row.Type switch { DataType.Fp8E4M3 => DataType.Bf16, DataType.Tf32 => DataType.Fp32, var same => same },
        };

    private static string Class(GpuRow row, SimtSpec spec, bool tensor) =>
        row.Quality == "C" ? GpuClasses.CrowdProducts
        : row.TypeName == "int8" ? GpuClasses.PackedProducts
        : !tensor ? GpuClasses.LaneProducts
        : row.Timing == "host_sync" ? GpuClasses.HostProducts
        : spec.TensorCores.Instruction switch
        {
            MatrixInstruction.Wgmma => GpuClasses.HopperProducts,
            MatrixInstruction.MmaSync => GpuClasses.AmpereProducts,
            _ => GpuClasses.VoltaProducts,
        };
}
