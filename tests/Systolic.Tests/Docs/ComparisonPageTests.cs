using BenchmarkDotNet.Running;
using Systolic.BenchmarkDotNet;
using Systolic.Benchmarks;

namespace Systolic.Tests.Docs;

/// <summary>The README's comparison has the figures that its command prints.</summary>
public class ComparisonPageTests
{
    private const int Texts = 2;

    [Fact]
    public void The_table_is_that_of_the_benchmark()
    {
        var diagnoser = new SimulatedDiagnoser();
        BenchmarkCase[] cases = BenchmarkConverter.TypeToBenchmarks(typeof(ComparisonBenchmarks)).BenchmarksCases;
        diagnoser.Validate(cases).Should().BeEmpty();
        string[][] table =
        [
            ["Method", "Model", .. SimulatedFigure.All.Select(figure => figure.ColumnName)],
            .. cases.OrderBy(run => run.Parameters["Model"]).Select(run => (string[])
                [run.Descriptor.WorkloadMethod.Name, (string)run.Parameters["Model"], .. diagnoser.MetricsOf(run).Select(metric => ((SimulatedFigure)metric.Descriptor).Text(metric.Value))]),
        ];

        Pages.MustBe("README.md", "comparison", Aligned(table));
    }

    /// <summary>As BenchmarkDotNet writes it: texts to the left, figures to the right, a line between models.</summary>
    private static string Aligned(string[][] table)
    {
        int[] widths = [.. table[0].Select((_, i) => table.Max(row => row[i].Length))];
        string Line(IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |\n";
        string empty = Line(widths.Select(width => new string(' ', width)));
        string rule = "|" + string.Concat(widths.Select((width, i) => new string('-', width + 1) + (i < Texts ? " |" : ":|"))) + "\n";
        IEnumerable<string> rows = table.Skip(1).Select(row => Line(row.Select((cell, i) => i < Texts ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))));
        return Line(table[0].Select((name, i) => name.PadRight(widths[i]))) + rule + string.Join(empty, rows.Chunk(2).Select(pair => string.Concat(pair)));
    }
}
