using Systolic.Units;

namespace Systolic.Components;

/// <summary>The scalar engine of a core (ScalarE): one-operand functions from a table, one lane per partition.</summary>
public sealed record ScalarEngineSpec
{
    /// <summary>Lanes; one element per lane and cycle.</summary>
    public required int Lanes { get; init; }

    /// <summary>The engine's clock.</summary>
    public required Frequency Clock { get; init; }

    /// <summary>Least cycles of an instruction.</summary>
    public required int MinimumInterval { get; init; }

    /// <summary>Cycles that reading the accumulator adds to a reducing activation.</summary>
    public required int ReduceCycles { get; init; }

    /// <summary>From the last element entering to its result being readable.</summary>
    public required SimTime ResultLatency { get; init; }

    /// <summary>From a result being readable to the start of an instruction of the engine itself that reads it.</summary>
    public required SimTime DependentLatency { get; init; }

    /// <summary>Loading another function table.</summary>
    public required SimTime TableLoad { get; init; }

    /// <summary>Copies of 16-bit data take two elements per lane and cycle (v4).</summary>
    public required bool FastCopies { get; init; }
}
