using Systolic.Numerics;

namespace Systolic.Simt;

/// <summary>Constants that no source documents. One value serves every machine, type and shape.</summary>
/// <remarks>
/// "Fitted" means: least mean absolute error over published GEMM readings of V100, T4, A100, H100 and L4 (Vidur profiling tables,
/// DeepBench, NeuSight, LLMCompass, DeepGEMM), or a part of them. "Set" means: by hand, from the reading named.
/// </remarks>
internal static class FittedConstants
{
    /// <summary>Cycles from the start of a CTA to its first load: parameters, coordinates, addresses. Set; 500 and 1000 fit alike.</summary>
    public const int SetupCycles = 500;

    /// <summary>Cycles until a kernel's first CTAs have their instructions and descriptors. Fitted; 1000 to 2000 fit within 0.5 points.</summary>
    public const int ColdStartCycles = 2000;

    /// <summary>Share of the bandwidth of a long read that products reach: tiles are rows of 64 or 128 bytes from many pages. Fitted; 0.92 to 0.98 fit within 1 point.</summary>
    public const double TiledShare = 0.94;

    /// <summary>Wavefronts of a shared load of 16 bytes per lane where lanes ask for the same words, on CUDA cores. Inferred: between 1, the distinct words, and 4, one per eight lanes.</summary>
    public const int BroadcastWavefronts = 2;

    /// <summary>Energy of an fp32 CUDA-core FLOP over an fp16 tensor FLOP. Fitted; 11.5 suits Turing and Ada better, 12.5 Ampere and Hopper.</summary>
    /// <remarks>A lane instruction other than a fused multiply-add counts as one such FLOP: 14.4 pJ on A100, where power residuals give 16 pJ.</remarks>
    public const double Fp32Energy = 12;

    /// <summary>Exponent of energy per event against clock, from the voltage curve. Set: V from 0.70 V at 1.2 GHz to 1.05 V at 1.98 GHz.</summary>
    public const double EnergyExponent = 1.3;

    /// <summary>Clock, over the reference clock, below which the voltage falls no further. Set: as above.</summary>
    public const double VoltageFloor = 0.6;

    /// <summary>Cycles that a matrix instruction holds its tensor core where its peak rate gives 32. Volta, set: at most 107.6 of 125 TFLOPS are read, at 8448x2816x48000.</summary>
    public static int TensorCycles(MatrixInstruction instruction) => instruction == MatrixInstruction.Hmma ? 37 : 32;

    /// <summary>Energy per FLOP of <paramref name="type"/> over fp16.</summary>
    /// <remarks>fp8: fitted on DeepGEMM rows. bf16: set from equal-work rows on H100, where bf16 runs 4 to 13 % faster. tf32: assumed twice fp16, half the rate at equal power; int8: assumed as fp8.</remarks>
    public static double RelativeEnergy(DataType type) => type switch
    {
        DataType.Fp32 => Fp32Energy,
        DataType.Tf32 => 2,
        DataType.Bf16 => 0.85,
        DataType.Fp16 => 1,
        _ => 0.44,
    };
}
