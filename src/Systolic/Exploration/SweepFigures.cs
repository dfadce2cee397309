using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Reporting;

namespace Systolic.Exploration;

/// <summary>The figures that a sweep keeps of every run; their names can be used in metrics, objectives and constraints.</summary>
internal static class SweepFigures
{
    /// <summary>A figure: its name, its unit (empty for a ratio or count) and where it comes from.</summary>
    public sealed record Figure(string Name, string Unit, Func<RunReport, double> Of)
    {
        /// <summary>A column of it, with the unit in its name.</summary>
        public SweepColumn ToColumn() => new(Unit.Length == 0 ? Name : $"{Name}_{FigureText.Key(Unit)}", row => row[Name], null) { Unit = Unit };
    }

    public static ImmutableArray<Figure> All { get; } =
    [
        new("time", "s", report => report.Time.Seconds),
        new("energy", "J", report => report.Energy.Joules),
        new("area", "mm2", report => report.Machine.Area?.Total ?? double.NaN),
        new("power", "W", report => report.Power.Watts),
        new("edp", "J s", report => report.EnergyDelayProduct),
        new("cycles", "", report => report.TotalCycles.Value),
        new("utilization", "", report => report.TensorUtilization),
        new("mfu", "", report => report.Mfu),
        new("mbu", "", report => report.Mbu),
        new("bound", "s", report => report.LowerBound.Time.Seconds),
        new("tokens_per_second", "", report => report.TokensPerSecond),
        new("energy_per_token", "J", report => report.EnergyPerToken.Joules),
        new("dram_bytes", "", report => report.Counts.DramBytes),
        new("scratchpad_bytes", "", report => report.ScratchpadHighWater.Value),
    ];

    public static ImmutableArray<string> Names { get; } = [.. All.Select(figure => figure.Name)];

    public static ImmutableArray<string> StackNames { get; } = [.. Enum.GetValues<CycleComponent>().Select(component => FigureText.Key(CycleStack.Label(component)))];
}
