using System.Collections.Immutable;
using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Systolic.Reporting;
using Systolic.Units;

namespace Systolic.BenchmarkDotNet;

/// <summary>A figure of a simulated run: a metric in a base unit, which exports as data, and a column that shows it with a unit of its size.</summary>
internal sealed class SimulatedFigure : IColumn, IMetricDescriptor
{
    private readonly Func<RunReport, RunReport?, double?> _value;
    private readonly Func<double, string> _text;

    private SimulatedFigure(string name, string unit, string legend, Func<RunReport, RunReport?, double?> value, Func<double, string> text) =>
        (ColumnName, Unit, Legend, _value, _text) = (name, unit, legend, value, text);

    /// <summary>All of them, in the order of the columns.</summary>
    public static ImmutableArray<SimulatedFigure> All { get; } =
    [
        Of("Cycles", "cycles", "Simulated cycles", run => run.TotalCycles.Value, value => value.ToString("N0", CultureInfo.InvariantCulture)),
        Of("Time", "s", "Simulated time", run => run.Time.Seconds, value => SimTime.FromSeconds(value).ToString()),
        Of("Utilization", "", "Share of the simulated time in which the matrix engines multiply", run => run.TensorUtilization, value => value.ToString("0.0 %", CultureInfo.InvariantCulture)),
        Of("Energy", "J", "Estimated energy", run => run.Energy.Joules, value => Energy.FromJoules(value).ToString()),
        Of("EDP", "J s", "Energy times simulated time", run => run.EnergyDelayProduct, value => value.ToString("G4", CultureInfo.InvariantCulture) + " J s"),
        Ratio("Time ratio", "Simulated time over that of the baseline", run => run.Time.Seconds),
        Ratio("Energy ratio", "Estimated energy over that of the baseline", run => run.Energy.Joules),
    ];

    public string Id => $"Simulated {ColumnName}";

    public string ColumnName { get; }

    public string DisplayName => ColumnName;

    public string Unit { get; }

    public string Legend { get; }

    public string NumberFormat => "R";

    public UnitType UnitType => UnitType.Dimensionless;

    public ColumnCategory Category => ColumnCategory.Metric;

    public int PriorityInCategory => All.IndexOf(this);

    public bool AlwaysShow => true;

    public bool IsNumeric => true;

    public bool TheGreaterTheBetter => ColumnName == "Utilization";

    /// <summary>The metric of a run; none where there is no baseline to hold it against.</summary>
    public Metric? Of(RunReport report, RunReport? baseline) => _value(report, baseline) is { } value ? new Metric(this, value) : null;

    /// <summary>A value of this figure as the column shows it.</summary>
    public string Text(double value) => _text(value);

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) =>
        summary[benchmarkCase] is { } report && report.Metrics.TryGetValue(Id, out Metric? metric) ? Text(metric.Value) : "-";

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

    public bool IsAvailable(Summary summary) => summary.Reports.Any(report => report.Metrics.ContainsKey(Id));

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    // The metric would otherwise be shown a second time, in its base unit.
    public bool GetIsAvailable(Metric metric) => false;

    private static SimulatedFigure Of(string name, string unit, string legend, Func<RunReport, double> value, Func<double, string> text) =>
        new(name, unit, legend, (report, _) => value(report), text);

    private static SimulatedFigure Ratio(string name, string legend, Func<RunReport, double> value) =>
        new(name, "", legend, (report, baseline) => baseline is null ? null : value(report) / value(baseline), ratio => ratio.ToString("0.00x", CultureInfo.InvariantCulture));
}
