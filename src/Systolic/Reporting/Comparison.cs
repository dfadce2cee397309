using System.Collections.Immutable;

namespace Systolic.Reporting;

/// <summary>One figure of two runs side by side.</summary>
/// <param name="Name">The figure.</param>
/// <param name="Report">Its text for the run in question.</param>
/// <param name="Baseline">Its text for the baseline.</param>
/// <param name="Quotient">The run's value over the baseline's; null when it would say nothing.</param>
public sealed record ComparisonRow(string Name, string Report, string Baseline, double? Quotient)
{
    /// <summary>The quotient as printed, such as "1.85x"; empty when there is none.</summary>
    public string QuotientText => Quotient is { } quotient ? FigureText.Times(quotient) : "";
}

/// <summary>A run beside a baseline run, usually of the same workload on another machine.</summary>
public sealed record Comparison
{
    private Comparison(RunReport report, RunReport baseline) => (Report, Baseline) = (report, baseline);

    /// <summary>The run in question.</summary>
    public RunReport Report { get; }

    /// <summary>The run that it is held against.</summary>
    public RunReport Baseline { get; }

    /// <summary>The baseline's time over the run's: above 1 the run is faster.</summary>
    public double SpeedUp => Baseline.Time.Seconds / Report.Time.Seconds;

    /// <summary>The baseline's energy over the run's: above 1 the run needs less.</summary>
    public double EnergyGain => Baseline.Energy / Report.Energy;

    /// <summary>The baseline's energy-delay product over the run's: above 1 the run's is lower.</summary>
    public double EnergyDelayGain => Baseline.EnergyDelayProduct / Report.EnergyDelayProduct;

    /// <summary>Speed-up if both had chips for the same power: the speed-up times the baseline's power over the run's.</summary>
    public double SpeedUpAtEqualPower => SpeedUp * (Baseline.Power / Report.Power);

    /// <summary>Speed-up if both had chips of the same total die area; null where an area is not known.</summary>
    public double? SpeedUpAtEqualArea => SpeedUp * (Baseline.Machine.Area?.Total / Report.Machine.Area?.Total);

    /// <summary>What is left of the speed-up at equal power and at equal area, in a sentence.</summary>
    public string AtEqualMeans => $"For the same power it has {FigureText.Times(SpeedUpAtEqualPower)} the speed"
        + (SpeedUpAtEqualArea is { } area ? $", for the same die area {FigureText.Times(area)}." : "; the die area of a machine is not known.");

    /// <summary>The headline figures side by side.</summary>
    public ImmutableArray<ComparisonRow> Rows =>
        [.. ReportFigure.Of(Report).Join(ReportFigure.Of(Baseline), figure => figure.Name, figure => figure.Name, (left, right) =>
            new ComparisonRow(left.Name, left.Text, right.Text, right.Value is > 0 ? left.Value / right.Value : null))];

    /// <summary>The result in a sentence, such as "trn2 is 1.30x slower than h100 and uses 1.10x less energy."</summary>
    public string Summary
    {
        get
        {
            string speed = SpeedUp >= 1 ? $"{FigureText.Times(SpeedUp)} faster than" : $"{FigureText.Times(1 / SpeedUp)} slower than";
            string energy = EnergyGain >= 1 ? $"{FigureText.Times(EnergyGain)} less" : $"{FigureText.Times(1 / EnergyGain)} more";
            return $"{Report.Machine.Name} is {speed} {Baseline.Machine.Name} and uses {energy} energy.";
        }
    }

    /// <summary>Holds a run against a baseline.</summary>
    public static Comparison Of(RunReport report, RunReport baseline)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(baseline);
        return new(report, baseline);
    }

    /// <summary>A heading, the sentence and the table, as Markdown with line feeds.</summary>
    public string ToMarkdown()
    {
        string left = Report.Machine.Name, right = Baseline.Machine.Name;
        var table = new MarkdownTable(["", left, right, $"{left} / {right}"]);
        foreach (ComparisonRow row in Rows)
        {
            table.Add(row.Name, row.Report, row.Baseline, row.QuotientText);
        }

        return $"# {Title}\n\n{Summary} {AtEqualMeans}\n\n{table}";
    }

    private string Title
    {
        get
        {
            string workload = $"{Report.Model}, {Report.Phase}", other = $"{Baseline.Model}, {Baseline.Phase}";
            return workload == other
                ? $"{workload}: {Report.Machine.Name} against {Baseline.Machine.Name}"
                : $"{workload} on {Report.Machine.Name} against {other} on {Baseline.Machine.Name}";
        }
    }
}
