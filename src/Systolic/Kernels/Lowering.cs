using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>A program that runs <paramref name="Repeat"/> times in a row.</summary>
/// <param name="Program">What one core executes.</param>
/// <param name="Repeat">How often.</param>
public readonly record struct LoweredPass(Program Program, long Repeat);

/// <summary>What one core executes for an operator, and how it was placed.</summary>
/// <param name="Passes">Programs in execution order; more than one only when the operator is too large for one. Each is written when it is enumerated, so that only one need be held.</param>
/// <param name="Mapping">Tiles, blocks and order in one line.</param>
public sealed record Lowering(IEnumerable<LoweredPass> Passes, string Mapping)
{
    /// <summary>The lowering of an operator that one program covers.</summary>
    public static Lowering Of(Program program, string mapping) => new([new LoweredPass(program, 1)], mapping);
}
