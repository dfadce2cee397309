using System.Text;
using ScottPlot;
using ScottPlot.Plottables;
using Systolic.Exploration;

namespace Systolic.Cli.Rendering;

/// <summary>The first and the last objective of a sweep against each other: all feasible points in grey, the front in colour.</summary>
internal static class FrontPicture
{
    private const int Width = 900;
    private const int Height = 600;
    private const float Marker = 5;
    private const float FrontMarker = 9;

    /// <summary>The picture in both formats.</summary>
    public static (byte[] Svg, byte[] Png) Draw(SweepResult result)
    {
        Plot plot = Compose(result);
        return (Encoding.UTF8.GetBytes(plot.GetSvgXml(Width, Height)), plot.GetImageBytes(Width, Height, ImageFormat.Png));
    }

    private static Plot Compose(SweepResult result)
    {
        var plot = new Plot();
        SweepRow[] feasible = [.. result.Rows.Where(row => row.IsFeasible)];
        SweepRow[] best = [.. result.Front.Rows];
        SweepColumn x = result.Objectives.Length > 1 ? result.Objectives[0] : result.Columns()[0], y = result.Objectives[^1];
        (double scaleX, string labelX) = Scale(x, feasible);
        (double scaleY, string labelY) = Scale(y, feasible);
        Scatter all = plot.Add.ScatterPoints(Values(feasible, x, scaleX), Values(feasible, y, scaleY));
        (all.MarkerSize, all.Color, all.LegendText) = (Marker, Colors.Gray.WithAlpha(0.4), FormattableString.Invariant($"{feasible.Length} feasible points"));
        Scatter front = plot.Add.ScatterPoints(Values(best, x, scaleX), Values(best, y, scaleY));
        (front.MarkerSize, front.Color, front.LegendText) = (FrontMarker, Colors.C0, FormattableString.Invariant($"Pareto front over {string.Join(", ", result.Goals.Objectives)}: {result.Front.Rows.Length}"));
        plot.Title(FormattableString.Invariant($"{result.Space.Workload.Model} on variants of {result.Space.MachineName}"));
        plot.XLabel(labelX);
        plot.YLabel(labelY);
        plot.Axes.Margins(0.05, 0.1);
        plot.ShowLegend(Edge.Bottom);
        return plot;
    }

    private static double[] Values(SweepRow[] rows, SweepColumn column, double scale) => [.. rows.Select(row => column.Number!(row) * scale)];

    /// <summary>A thousandth of the unit, or of that, where the largest value is below one.</summary>
    private static (double Factor, string Label) Scale(SweepColumn column, SweepRow[] rows)
    {
        string[] prefixes = ["", "m", "u", "n"];
        double largest = rows.Max(row => Math.Abs(column.Number!(row)));
        int steps = column.Unit is "s" or "J" or "W" && largest is > 0 and < 1 ? Math.Min(prefixes.Length - 1, (int)Math.Ceiling(-Math.Log10(largest) / 3)) : 0;
        string name = column.Name.EndsWith("_" + column.Unit.ToLowerInvariant(), StringComparison.Ordinal) ? column.Name[..^(column.Unit.Length + 1)] : column.Name;
        return (Math.Pow(1000, steps), column.Unit.Length == 0 ? name : $"{name}, {prefixes[steps]}{column.Unit}");
    }
}
