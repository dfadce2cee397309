using System.Globalization;
using Systolic.Components;

namespace Systolic.Cli.Rendering;

/// <summary>The layers of a SCALE-Sim run.</summary>
/// <remarks>Plain lines, not a <see cref="TextTable"/>: drawing that costs more time than the run (60 of 240 ms of CPU for ResNet-18).</remarks>
internal static class ScaleSimTable
{
    private const int NameWidth = 18;
    private const int NarrowWidth = 8;
    private const int WideWidth = 16;

    /// <summary>Writes a line per layer and their sums, 78 columns wide unless numbers are larger.</summary>
    public static void Write(TextWriter output, ScaleSimConfiguration configuration, IReadOnlyCollection<ScaleSimReport> layers)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{configuration.RunName}: SCALE-Sim v3 compatibility, {configuration.Rows}x{configuration.Columns}, {(configuration.Bandwidth is null ? "CALC" : "USER")}"));
        output.WriteLine(Line("layer", "M", "K", "N", "total cycles", "stalls"));
        (long cycles, long stalls) = (0, 0);
        foreach (ScaleSimReport report in layers)
        {
            ScaleSimLayer layer = report.Layer;
            output.WriteLine(Line(layer.Name, Whole(layer.M), Whole(layer.K), Whole(layer.N), Text.Count(report.TotalCycles), Text.Count(report.StallCycles)));
            (cycles, stalls) = (cycles + report.TotalCycles, stalls + report.StallCycles);
        }

        output.WriteLine(Line("all layers", "", "", "", Text.Count(cycles), Text.Count(stalls)));
    }

    private static string Whole(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Line(string name, string m, string k, string n, string cycles, string stalls) => string.Concat(
        [
            (name.Length <= NameWidth ? name : name[..(NameWidth - 1)] + "~").PadRight(NameWidth),
            " ", m.PadLeft(NarrowWidth), " ", k.PadLeft(NarrowWidth), " ", n.PadLeft(NarrowWidth), " ", cycles.PadLeft(WideWidth), " ", stalls.PadLeft(WideWidth),
        ]);
}
