using System.Globalization;
using Spectre.Console;
using Systolic.Validation;

namespace Systolic.Cli.Rendering;

/// <summary>The groups of a validation.</summary>
internal static class ValidationTable
{
    /// <summary>Draws a line per group, then what was skipped.</summary>
    public static void Show(IAnsiConsole console, ValidationReport result)
    {
        var table = new TextTable(new(result.Suite, Text: true), new("n"), new("exact"), new("mean %"), new("median %"), new("max %"), new("bias %"));
        foreach (ValidationGroup group in result.Groups)
        {
            table.Add(
                group.Name, Text.Count(group.Count), Text.Count(group.Exact),
                Percent(group.MeanPercent), Percent(group.MedianPercent), Percent(group.MaximumPercent), Percent(group.BiasPercent));
        }

        table.Draw(console);
        if (result.Classes.Length > 0)
        {
            var classes = new TextTable(new("class", Text: true), new("n"), new("mean %"), new("target %"), new("median %"), new("max %"), new("bias %"));
            foreach ((ValidationGroup rows, double? target) in result.Classes)
            {
                classes.Add(
                    rows.Name, Text.Count(rows.Count), Percent(rows.MeanPercent), target is { } percent ? Percent(percent) : "",
                    Percent(rows.MedianPercent), Percent(rows.MaximumPercent), Percent(rows.BiasPercent));
            }

            classes.Draw(console);
        }

        foreach (ValidationSkip skip in result.Skipped)
        {
            console.WriteLine($"Skipped {Text.Count(skip.Count)}: {skip.Reason}");
        }
    }

    private static string Percent(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);
}
