using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Reporting;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>A bf16 product of 8192 cubed on a chip: its energy per FLOP at the voltage of the energy rows, and the rate that the cap allows.</summary>
internal sealed class PowerProduct
{
    private const long Size = 8192;

    /// <summary>Share of the energy of an event that follows the data, nothing of which is spent on zeros: A100, Antepara et al. SC 2025 Table 3.</summary>
    private static readonly ImmutableDictionary<string, double> DataShare = ImmutableDictionary<string, double>.Empty
        .Add("matrix arithmetic", 0.33 / 0.70).Add("instruction and operand supply", 0.33 / 0.70).Add("shared memory", 0.33 / 1.59).Add("L2 cache", 1.6 / 4.71).Add("main memory", 4.64 / 13.11);

    private readonly PowerChip _chip;
    private readonly RunReport _run;
    private readonly double _voltage;

    public PowerProduct(PowerChip chip, CancellationToken cancellation)
    {
        _chip = chip;
        _run = chip.Run("product", () => OperatorGraph.Of(new MatMul("product", Size, Size, Size, LeftTransposed: true) { Split = new Split(SplitAxis.Columns, Size) }), cancellation);
        _voltage = _run.Trace.Operators.Max(op => op.Voltage);
    }

    /// <summary>FLOP per second as simulated; of a chip that another stands for, its share of the peak.</summary>
    public double SimulatedRate => _chip.Stands ? _run.Mfu * _chip.Peak : _run.UsefulFlops / _run.Time.Seconds;

    /// <summary>pJ per FLOP of arithmetic, control and operands, and of the active power, which a regression without such a term gives to the only event that there is.</summary>
    public double MatrixUnitPicojoules => 1e12 *
        ((_run.EnergyBreakdown.Parts.Where(part => part.Component is "matrix arithmetic" or "instruction and operand supply").Sum(Counted) / _run.UsefulFlops)
        + (_chip.Energy.Active.Watts / Sustained()));

    /// <summary>Joules per FLOP of what is counted, on data that toggle so much: 1 random, 0 zeros.</summary>
    public double Joules(double activity = 1) => _run.EnergyBreakdown.Parts.Where(PowerChip.IsCounted)
        .Sum(part => Counted(part) * (1 - ((1 - activity) * DataShare.GetValueOrDefault(part.Component)))) / _run.UsefulFlops;

    /// <summary>FLOP per second: as simulated, or less where the cap asks for a lower clock.</summary>
    public double Sustained(double activity = 1) => _chip.Energy.Cap is { } cap
        ? Math.Min(SimulatedRate, (cap.Watts - _chip.Energy.Idle.Watts - _chip.Energy.Active.Watts) / Joules(activity))
        : SimulatedRate;

    private double Counted(EnergyPart part) => part.Value.Joules / (part.Component == "main memory" ? 1 : _voltage);
}
