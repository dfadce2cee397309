using BenchmarkDotNet.Running;
using Systolic.BenchmarkDotNet;
using Systolic.Benchmarks;

namespace Systolic.Tests.Docs;

/// <summary>The table of docs/benchmarkdotnet.md has the figures that its command prints.</summary>
public class ComparisonPageTests
{
    private const string Page = "docs/benchmarkdotnet.md";

    [Fact]
    public void The_table_is_that_of_the_benchmark()
    {
        var diagnoser = new SimulatedDiagnoser();
        BenchmarkCase[] cases = BenchmarkConverter.TypeToBenchmarks(typeof(ComparisonBenchmarks)).BenchmarksCases;
        diagnoser.Validate(cases).Should().BeEmpty();
        string[] expected =
        [
            string.Join(" | ", ["Method", "Model", .. SimulatedFigure.All.Select(figure => figure.ColumnName)]),
            .. cases.OrderBy(run => run.Parameters["Model"]).Select(run => string.Join(" | ",
                [run.Descriptor.WorkloadMethod.Name, run.Parameters["Model"], .. diagnoser.MetricsOf(run).Select(metric => ((SimulatedFigure)metric.Descriptor).Text(metric.Value))])),
        ];

        Rows(Pages.Generated(Page, "comparison")).Should().Equal(expected, "the page has what its command prints; paste it again");
    }

    /// <summary>The cells of a table without their padding; rules between groups left out.</summary>
    private static IEnumerable<string> Rows(string table) => table.Split('\n')
        .Select(line => string.Join(" | ", line.Trim('|').Split('|').Select(cell => cell.Trim())))
        .Where(row => row.Any(char.IsLetter));
}
