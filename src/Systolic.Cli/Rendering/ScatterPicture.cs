using System.Globalization;
using System.Text;
using ScottPlot;
using ScottPlot.Plottables;
using ScottPlot.TickGenerators;
using Systolic.Validation;

namespace Systolic.Cli.Rendering;

/// <summary>Predictions against reference figures: the ratio of both over the size of the figure, a colour per class, or per group where the suite has no classes.</summary>
internal static class ScatterPicture
{
    private const int Width = 900;
    private const int Height = 520;
    private const double Band = 0.1;
    private const float Marker = 6;

    /// <summary>Refuses a file whose name does not end in .svg or .png.</summary>
    public static void RequireFormat(string path)
    {
        if (Path.GetExtension(path).ToUpperInvariant() is not (".SVG" or ".PNG"))
        {
            throw new UsageException($"--plot: found \"{path}\", expected a file that ends in .svg or .png.");
        }
    }

    /// <summary>The picture in the format that <paramref name="path"/> asks for.</summary>
    public static byte[] Draw(ValidationReport report, string path)
    {
        Plot plot = Compose(report);
        return Path.GetExtension(path).Equals(".png", StringComparison.OrdinalIgnoreCase)
            ? plot.GetImageBytes(Width, Height, ImageFormat.Png)
            : Encoding.UTF8.GetBytes(plot.GetSvgXml(Width, Height));
    }

    private static Plot Compose(ValidationReport report)
    {
        var plot = new Plot();
        plot.Add.VerticalSpan(1 - Band, 1 + Band, Colors.Gray.WithAlpha(0.15));
        plot.Add.HorizontalLine(1, 1, Colors.Gray);
        bool classes = report.Classes.Length > 0;
        foreach (ValidationGroup group in classes ? report.Classes.Select(one => one.Rows) : report.Groups)
        {
            ValidationRow[] rows = [.. report.Rows.Where(row => (classes ? row.Class : row.Group) == group.Name && !row.IsBeside && row.Expected > 0)];
            Scatter points = plot.Add.ScatterPoints(rows.Select(row => Math.Log10(row.Expected)).ToArray(), rows.Select(row => row.Predicted / row.Expected).ToArray());
            points.MarkerSize = Marker;
            points.LegendText = string.Create(CultureInfo.InvariantCulture, $"{group.Name}: {group.Count} figures, mean error {group.MeanPercent:F1} %");
        }

        plot.Title($"{report.Suite}: predicted / reference");
        plot.YLabel("predicted / reference");
        plot.XLabel("reference, in the unit of its row");
        plot.Axes.Bottom.TickGenerator = new NumericAutomatic
        {
            MinorTickGenerator = new LogMinorTickGenerator(),
            IntegerTicksOnly = true,
            LabelFormatter = power => Math.Pow(10, power).ToString("#,0.###", CultureInfo.InvariantCulture),
        };
        plot.Axes.Margins(0.05, 0.2);
        plot.ShowLegend(Edge.Bottom);
        return plot;
    }
}
