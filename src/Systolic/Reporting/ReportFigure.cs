using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>One headline figure of a run.</summary>
/// <param name="Name">What it is, such as "energy per token".</param>
/// <param name="Text">The value with its unit, invariant culture.</param>
/// <param name="Value">The value in the base unit; null when its quotient with another machine's would say nothing.</param>
public sealed record ReportFigure(string Name, string Text, double? Value)
{
    /// <summary>The headline figures of a run, in the order in which reports print them.</summary>
    public static ImmutableArray<ReportFigure> Of(RunReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        SimTime bound = report.LowerBound.Time;
        Roofline roofline = Roofline.Of(report);
        var energy = report.EnergyBreakdown;
        return
        [
            new("time", report.Time.ToString(), report.Time.Seconds),
            new("cycles", FigureText.Count(report.TotalCycles.Value), null),
            new("clock of the cycles", report.Machine.Clock.Frequency.ToString(), null),
            new("lower bound", $"{bound} ({(report.LowerBound.Arithmetic >= report.LowerBound.Memory ? "arithmetic" : "memory")})", bound.Seconds),
            new("time over lower bound", bound > SimTime.Zero ? FigureText.Times(report.Time.Seconds / bound.Seconds) : "no bound", null),
            new("tokens per second", FigureText.Significant(report.TokensPerSecond), report.TokensPerSecond),
            new("energy", report.Energy.ToString(), report.Energy.Joules),
            new("energy range", $"{energy.Low} to {energy.High}", null),
            new("energy per token", report.EnergyPerToken.ToString(), report.EnergyPerToken.Joules),
            new("energy per FLOP", report.UsefulFlops > 0 ? report.EnergyPerFlop.ToString() : "no FLOPs", report.UsefulFlops > 0 ? report.EnergyPerFlop.Joules : null),
            new("TFLOPS per watt", FigureText.Significant(report.FlopsPerJoule / 1e12), report.FlopsPerJoule),
            new("energy on assumed rows", FigureText.Percent(energy.AssumedShare), null),
            .. report.CostPerMillionTokens is { } cost ? [new ReportFigure("cost per million tokens", FigureText.Significant(cost), cost)] : (ReadOnlySpan<ReportFigure>)[],
            new("average power", report.Power.ToString(), report.Power.Watts),
            new("energy-delay product", FigureText.Significant(report.EnergyDelayProduct) + " J s", report.EnergyDelayProduct),
            .. report.Machine.Area is { } area
                ? [new ReportFigure("die area", FormattableString.Invariant($"{area.Total:F0} mm2"), area.Total), new("tokens per second and mm2", FigureText.Significant(report.TokensPerSecond / area.Total), report.TokensPerSecond / area.Total)]
                : (ReadOnlySpan<ReportFigure>)[],
            new("tensor utilization", FigureText.Percent(report.TensorUtilization), report.TensorUtilization),
            new("MFU", FigureText.Percent(report.Mfu), report.Mfu),
            new("HFU", FigureText.Percent(report.Hfu), report.Hfu),
            new("MBU", FigureText.Percent(report.Mbu), report.Mbu),
            new("DRAM traffic", new Bytes(report.Counts.DramBytes).ToString(), report.Counts.DramBytes),
            new("FLOP per DRAM byte", $"{FigureText.Significant(roofline.Intensity)} (ridge {FigureText.Significant(roofline.Ridge)})", null),
        ];
    }
}
