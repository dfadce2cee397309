using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Components;

/// <summary>The systolic array of a core (TensorE): a grid of multiply-accumulate cells, stationary operand inside, moving operand streamed.</summary>
public sealed record TensorEngineSpec
{
    /// <summary>Cells along the contraction dimension K; one per SBUF partition.</summary>
    public required int Rows { get; init; }

    /// <summary>Cells along the stationary columns; one per PSUM partition of the result.</summary>
    public required int Columns { get; init; }

    /// <summary>Equal arrays side by side: a product takes the one that is free first.</summary>
    public int Arrays { get; init; } = 1;

    /// <summary>Parts along each side on which products run at the same time: 1, 2 or 4.</summary>
    public int Parts { get; init; } = 1;

    /// <summary>The array's clock; peak rates refer to it.</summary>
    public required Frequency Clock { get; init; }

    /// <summary>Moving columns per second that a stream of products sustains; at most <see cref="Clock"/>.</summary>
    public required Frequency SustainedRate { get; init; }

    /// <summary>Largest number of moving columns of one instruction.</summary>
    public required int MaximumMoving { get; init; }

    /// <summary>Least cycles between two products, whatever the moving columns.</summary>
    public required int MinimumInterval { get; init; }

    /// <summary>Passes over the array that an fp32 product takes.</summary>
    public required int Fp32Passes { get; init; }

    /// <summary>Rows of the contraction that each cell takes at once for fp8 (1, 2 double row, 4 microscaling).</summary>
    public required int Fp8RowsPerCell { get; init; }

    /// <summary>Stationary columns that shift in per cycle when the array is idle.</summary>
    public required int LoadColumnsPerCycle { get; init; }

    /// <summary>From the last moving column entering to the last result readable in PSUM.</summary>
    public required SimTime ResultLatency { get; init; }

    /// <summary>Limit on the rate of an array that has been idle; null where there is none.</summary>
    public ThrottleSpec? Throttle { get; init; }

    /// <summary>Passes over the array for operands of <paramref name="type"/>.</summary>
    public int Passes(DataType type) => type == DataType.Fp32 ? Fp32Passes : 1;

    /// <summary>Rows of the contraction that one product of <paramref name="type"/> covers.</summary>
    public int ContractionRows(DataType type) => Rows * (IsFp8(type) ? Fp8RowsPerCell : 1);

    /// <summary>Peak multiply-accumulates per second: arrays x rows x columns x clock, over the passes.</summary>
    public double PeakMacsPerSecond(DataType type) => (double)Arrays * ContractionRows(type) * Columns * Clock.Hertz / Passes(type);

    private static bool IsFp8(DataType type) => type is DataType.Fp8E4M3 or DataType.Fp8E5M2;
}
