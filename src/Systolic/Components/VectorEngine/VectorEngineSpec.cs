using Systolic.Units;

namespace Systolic.Components;

/// <summary>The vector engine of a core (VectorE): one lane per partition, two-operand arithmetic and reductions.</summary>
public sealed record VectorEngineSpec
{
    /// <summary>Lanes; one element per lane and cycle.</summary>
    public required int Lanes { get; init; }

    /// <summary>The engine's clock.</summary>
    public required Frequency Clock { get; init; }

    /// <summary>Least cycles of the element part of an instruction.</summary>
    public required int MinimumInterval { get; init; }

    /// <summary>Cycles that every instruction takes beside its elements.</summary>
    public required int StaticCycles { get; init; }

    /// <summary>Copies and scalar operations on 16-bit data take two or four elements per lane and cycle (v3 and later).</summary>
    public required bool FastModes { get; init; }

    /// <summary>The engine works register by register; null where elements stream through it.</summary>
    public VectorRegisterSpec? Registers { get; init; }
}
