namespace Systolic.Components;

/// <summary>The accesses of one operand to one memory.</summary>
/// <param name="FirstCycle">Cycle of the first, the layer's first cycle being 0; negative where the SRAM is filled before.</param>
/// <param name="LastCycle">Cycle of the last.</param>
/// <param name="Words">Words read or written.</param>
public readonly record struct ScaleSimAccesses(long FirstCycle, long LastCycle, long Words)
{
    /// <summary>Words per cycle between the first and the last access.</summary>
    public double WordsPerCycle => Words / (double)(LastCycle - FirstCycle + 1);
}

/// <summary>One operand of a layer in its SRAM and in DRAM.</summary>
/// <param name="Sram">Accesses of the array to the operand's SRAM.</param>
/// <param name="Dram">Accesses of that SRAM to DRAM.</param>
public readonly record struct ScaleSimTraffic(ScaleSimAccesses Sram, ScaleSimAccesses Dram);

/// <summary>What SCALE-Sim v3 reports of one layer, its quirks included; see docs/scalesim.md.</summary>
public sealed record ScaleSimReport
{
    internal ScaleSimReport(ScaleSimLayer layer) => Layer = layer;

    /// <summary>The layer.</summary>
    public ScaleSimLayer Layer { get; }

    /// <summary>Index of the last cycle counted from 0, hence one less than the cycles it takes; stalls included.</summary>
    public long TotalCycles { get; internal init; }

    /// <summary>Stalls, as that tool counts them.</summary>
    public long StallCycles { get; internal init; }

    /// <summary><see cref="TotalCycles"/> without the stalls.</summary>
    public long ComputeCycles => TotalCycles - StallCycles;

    /// <summary>From the first read of DRAM to the last write.</summary>
    public long TotalCyclesWithPrefetch => Ofmap.Dram.LastCycle - Math.Min(Ifmap.Dram.FirstCycle, Filter.Dram.FirstCycle);

    /// <summary>Multiply-accumulates over cells and <see cref="TotalCycles"/>, in percent; infinite where that is 0 (the tool itself then fails).</summary>
    public double UtilizationPercent { get; internal init; }

    /// <summary>Cells in use, mean over folds, in percent.</summary>
    public double MappingEfficiencyPercent { get; internal init; }

    /// <summary>Cells in use over cells and the cycles of a fold, in percent; of a weight or input stationary array with the column skew counted twice.</summary>
    public double ComputeUtilizationPercent { get; internal init; }

    /// <summary>The ifmap.</summary>
    public ScaleSimTraffic Ifmap { get; internal init; }

    /// <summary>The filter.</summary>
    public ScaleSimTraffic Filter { get; internal init; }

    /// <summary>The ofmap.</summary>
    public ScaleSimTraffic Ofmap { get; internal init; }
}
