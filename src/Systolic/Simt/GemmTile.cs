using System.Collections.Immutable;

namespace Systolic.Simt;

/// <summary>One GEMM kernel of a vendor library: what a thread block (CTA) computes and holds.</summary>
/// <param name="M">Output rows of a CTA.</param>
/// <param name="N">Output columns of a CTA.</param>
/// <param name="KBytes">Depth of one k step in bytes of an operand row.</param>
/// <param name="Stages">Shared-memory buffers of one k step each.</param>
/// <param name="Warps">Warps that multiply.</param>
/// <param name="WarpM">Output rows of a warp.</param>
/// <param name="WarpN">Output columns of a warp.</param>
/// <param name="Registers">Registers per thread.</param>
/// <param name="LoaderWarps">Warps that only load (Hopper's producer warpgroup).</param>
internal sealed record GemmTile(int M, int N, int KBytes, int Stages, int Warps, int WarpM, int WarpN, int Registers, int LoaderWarps = 0)
{
    /// <summary>Threads of a CTA.</summary>
    public int Threads => (Warps + LoaderWarps) * 32;

    /// <summary>Shared memory of a CTA in bytes.</summary>
    public long SharedBytes => (long)Stages * (M + N) * KBytes;

    /// <summary>Bytes from shared memory to the units per CTA and k step: each warp reads its rows of A and columns of B, a warpgroup 64 rows of A and all of B per 64-row instruction.</summary>
    /// <remarks>CUDA cores: thread tiles are read once into registers.</remarks>
    public double OperandBytes(SimtSpec spec, GemmProblem problem) => !problem.Rate.OnTensorCores
        ? (double)(M + N) * KBytes
        : spec.TensorCores.Instruction == MatrixInstruction.Wgmma
            ? M / 64.0 * (64 + N) * KBytes
            : (double)M * N * KBytes * ((1.0 / WarpM) + (1.0 / WarpN));
}

/// <summary>The kernels to choose from, per generation.</summary>
/// <remarks>
/// Tiles, warps and stages follow the names of library kernels (such as ampere_s16816gemm 128x128 stages_32x5); stage and register counts that
/// the names do not give are inferred from what lets the kernel fit.
/// </remarks>
internal static class GemmTiles
{
    private static readonly ImmutableArray<GemmTile> Hmma =
    [
        new(256, 128, 64, 2, 8, 64, 64, 232),
        new(128, 256, 64, 2, 8, 64, 64, 232),
        new(128, 128, 64, 2, 8, 64, 32, 128),
        new(256, 64, 64, 2, 8, 64, 32, 128),
        new(64, 256, 64, 2, 8, 32, 64, 128),
        new(128, 64, 64, 2, 4, 64, 32, 128),
        new(64, 128, 64, 2, 4, 32, 64, 128),
        new(64, 64, 64, 2, 4, 32, 32, 96),
    ];

    private static readonly ImmutableArray<GemmTile> MmaSync =
    [
        new(256, 128, 64, 3, 8, 64, 64, 232),
        new(128, 256, 64, 3, 8, 64, 64, 232),
        new(128, 128, 64, 5, 4, 64, 64, 232),
        new(256, 64, 64, 4, 4, 64, 64, 232),
        new(64, 256, 64, 4, 4, 64, 64, 232),
        new(128, 64, 64, 6, 4, 64, 32, 144),
        new(64, 128, 64, 6, 4, 32, 64, 144),
        new(64, 64, 128, 5, 4, 32, 32, 120),
    ];

    private static readonly ImmutableArray<GemmTile> Wgmma =
    [
        new(128, 256, 128, 4, 8, 64, 256, 168, 4),
        new(256, 128, 128, 4, 8, 128, 128, 168, 4),
        new(128, 192, 128, 4, 8, 64, 192, 168, 4),
        new(128, 128, 128, 6, 8, 64, 128, 168, 4),
        new(64, 256, 128, 4, 4, 64, 256, 168, 4),
        new(64, 128, 128, 4, 4, 64, 128, 128, 4),
        new(128, 64, 128, 4, 8, 64, 64, 80, 4),
        new(64, 64, 128, 6, 4, 64, 64, 96, 4),
    ];

    private static readonly ImmutableArray<GemmTile> Simt =
    [
        new(256, 128, 32, 2, 8, 64, 64, 255),
        new(128, 128, 32, 2, 8, 32, 64, 128),
        new(256, 64, 32, 2, 8, 64, 32, 128),
        new(128, 64, 32, 2, 4, 64, 32, 128),
        new(64, 128, 32, 2, 4, 32, 64, 128),
        new(128, 32, 32, 2, 4, 32, 32, 96),
        new(32, 128, 32, 2, 4, 32, 32, 96),
        new(64, 64, 32, 2, 4, 32, 32, 96),
    ];

    /// <summary>Ways to divide K between CTAs.</summary>
    public static ImmutableArray<int> Splits { get; } = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 48, 64];

    /// <summary>The kernels of an instruction; CUDA-core kernels when the type does not run on tensor cores.</summary>
    public static ImmutableArray<GemmTile> For(MatrixInstruction instruction, bool onTensorCores) => (onTensorCores, instruction) switch
    {
        (false, _) => Simt,
        (_, MatrixInstruction.Hmma) => Hmma,
        (_, MatrixInstruction.MmaSync) => MmaSync,
        _ => Wgmma,
    };
}
