using Spectre.Console;
using Systolic.Components;

namespace Systolic.Cli.Rendering;

/// <summary>The layers of a SCALE-Sim run.</summary>
internal static class ScaleSimTable
{
    /// <summary>Draws a line per layer and their sums.</summary>
    public static void Show(IAnsiConsole console, ScaleSimConfiguration configuration, IReadOnlyCollection<ScaleSimReport> layers)
    {
        console.WriteLine(FormattableString.Invariant(
            $"{configuration.RunName}: SCALE-Sim v3 compatibility, {configuration.Rows}x{configuration.Columns}, {(configuration.Bandwidth is null ? "CALC" : "USER")}"));
        var table = new TextTable(new("layer", Text: true), new("M"), new("K"), new("N"), new("total cycles"), new("stalls"), new("util."));
        foreach (ScaleSimReport layer in layers)
        {
            table.Add(
                layer.Layer.Name, Text.Count(layer.Layer.M), Text.Count(layer.Layer.K), Text.Count(layer.Layer.N),
                Text.Count(layer.TotalCycles), Text.Count(layer.StallCycles), Text.Percent(layer.UtilizationPercent / 100));
        }

        table.Add("all layers", "", "", "", Text.Count(layers.Sum(layer => layer.TotalCycles)), Text.Count(layers.Sum(layer => layer.StallCycles)), "");
        table.Draw(console);
    }
}
