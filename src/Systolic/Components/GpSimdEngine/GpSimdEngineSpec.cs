using Systolic.Units;

namespace Systolic.Components;

/// <summary>The general-purpose SIMD engine of a core (GpSimdE).</summary>
public sealed record GpSimdEngineSpec
{
    /// <summary>The engine's clock.</summary>
    public required Frequency Clock { get; init; }

    /// <summary>Cycles that every instruction takes beside its elements.</summary>
    public required int StaticCycles { get; init; }

    /// <summary>Cycles from issue to the earliest issue of the next: 150 + N (NKI ISA reference v2.26 for iota and affine_select; used for all).</summary>
    internal Cycles Interval(long elements) => new((long)StaticCycles + elements);
}
