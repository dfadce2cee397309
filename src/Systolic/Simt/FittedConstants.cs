using Systolic.Numerics;

namespace Systolic.Simt;

/// <summary>Constants that no source documents. One value serves every machine, type and shape.</summary>
/// <remarks>
/// "Fitted" means: least mean absolute error over 523 published GEMM readings of V100, T4, A100, H100 and L4 (Vidur profiling tables,
/// DeepBench, NeuSight, LLMCompass, DeepGEMM). "Set" means: by hand, from the reading named.
/// </remarks>
internal static class FittedConstants
{
    /// <summary>Share of the tensor rate a steady main loop reaches. Set: A100 SXM 293 of 312 TFLOPS at 8192x16384x16384.</summary>
    public const double IssueShare = 0.95;

    /// <summary>Exposed cycles per k step with one warp per scheduler, asynchronous copies. Fitted.</summary>
    public const double AsyncBubble = 60;

    /// <summary>The same with copies through registers (Volta). Fitted.</summary>
    public const double StagedBubble = 320;

    /// <summary>The same for CUDA-core kernels. Fitted; at its search bound.</summary>
    public const double SimtBubble = 300;

    /// <summary>Cycles from the start of a CTA to its first multiply, beyond one loaded memory latency. Fitted; folds 1500 to 1542 and 1630 on all.</summary>
    public const double FillCycles = 1630;

    /// <summary>Bytes per cycle at which one CTA writes its tile out. Fitted; folds 22 to 41.</summary>
    public const double EpilogueBytesPerCycle = 35;

    /// <summary>Memory latency under load over the unloaded one. Fitted; folds 1.8 to 2.5.</summary>
    public const double LoadedLatency = 2.4;

    /// <summary>Seconds that a split-K reduction adds. Fitted; folds 0.6 to 1.7 us.</summary>
    public const double ReductionSeconds = 0.9e-6;

    /// <summary>Exponent that joins compute and memory time of one wave. Fitted.</summary>
    public const double WaveJoin = 3.3;

    /// <summary>Energy of an fp32 CUDA-core FLOP over an fp16 tensor FLOP. Fitted, though it barely moved from its start.</summary>
    /// <remarks>A lane instruction other than a fused multiply-add counts as one such FLOP: 13.8 pJ on A100, where power residuals give 16 pJ.</remarks>
    public const double Fp32Energy = 11.5;

    /// <summary>Issue slots beside 64 FMAs of a thread per k: shared loads and addresses, growing with the root of the thread tile. Fitted; folds 4.9 to 9.4.</summary>
    public const double IssueExtra = 8.5;

    /// <summary>Exponent of energy per event against clock, from the voltage curve. Set: V from 0.70 V at 1.2 GHz to 1.05 V at 1.98 GHz.</summary>
    public const double EnergyExponent = 1.3;

    /// <summary>Clock, over the reference clock, below which the voltage falls no further. Set: as above.</summary>
    public const double VoltageFloor = 0.6;

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
