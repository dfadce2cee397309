using Systolic.Units;
using Systolic.Validation;

namespace Systolic.Tests.Validation;

public class DramSuiteTests
{
    private const int LongestHere = 70_000;

    [Fact]
    public void Ticks_bandwidth_and_row_hits_of_both_tools_are_exact()
    {
        string[] lines = Lines();

        // The runs of many channels take longer; `systolic validate dram` covers them.
        ValidationReport report = Score(string.Join('\n', lines.Where((line, i) => i == 0 || int.Parse(line.Split(',')[10], null) <= LongestHere)) + "\n");

        report.Skipped.Should().BeEmpty();
        report.Groups.Sum(group => group.Count).Should().BeGreaterThan(150);
        report.Groups.Should().OnlyContain(group => group.Exact == group.Count);
        report.Rows.Where(row => row.Column is "achieved_GBps" or "row_hits").Should().OnlyContain(row => row.IsBeside && row.IsExact);

        // A mean may differ in the last decimal by the way it was rounded.
        report.Rows.Where(row => row.Column == "avg_read_latency_cycles").Should().OnlyContain(row => row.IsBeside && Math.Abs(row.Expected - row.Predicted) < 0.011);
    }

    [Fact]
    public void Groups_are_tool_standard_and_pattern()
    {
        string[] lines = Lines();
        string hbm3 = lines.Single(line => line.StartsWith("c244,", StringComparison.Ordinal));

        Score($"{lines[0]}\n{lines[1]}\n{hbm3}\n").Groups.Select(group => group.Name).Should().Equal("DRAMsim3/HBM2/seq_rd", "Ramulator 2.1/HBM3/micro_hit");
    }

    [Fact]
    public void A_changed_figure_is_found_and_what_is_beside_does_not_count()
    {
        string[] lines = Lines();

        // Row c000 takes 71,069 ticks and has 31,684 row hits.
        ValidationReport report = Score($"{lines[0]}\n{lines[1].Replace(",71069,", ",71779,", StringComparison.Ordinal).Replace(",31684,", ",1,", StringComparison.Ordinal)}\n");

        report.Groups.Single().Should().BeEquivalentTo(new { Count = 1, Exact = 0 });
        report.Groups.Single().MeanPercent.Should().BeApproximately(100.0 * (71_779 - 71_069) / 71_779, 1e-9);
    }

    [Theory]
    [InlineData(",co5 ch0 ba2 bg2 ro15,", ",co5 ch0 ba2 bg2 ro14,", "column map_bits_low_first: mapping \"co5 ch0 ba2 bg2 ro14\": found 14 bits of ro, expected 15*")]
    [InlineData(",seq_rd,", ",seq_rx,", "column pattern: pattern: found \"seq_rx\", expected one of*")]
    [InlineData(",64,greedy,", ",32,greedy,", "column request_bytes: found 32, expected the burst of HBM2, 64 bytes")]
    [InlineData(",64,greedy,", ",64,lazy,", "column injection: injection: found \"lazy\", expected greedy*")]
    [InlineData(",FRFCFS (tool),", ",FRFCFS,", "column scheduler: found \"FRFCFS\", which is not one of DRAMsim3*")]
    [InlineData(",HBM2,", ",HBM9,", "column standard: standard: found \"HBM9\", expected one of*")]
    public void A_bad_field_is_told_with_line_and_column(string from, string to, string message)
    {
        string[] lines = Lines();
        Action score = () => Score($"{lines[0]}\n{lines[1].Replace(from, to, StringComparison.Ordinal)}\n");

        score.Should().Throw<InvalidDocumentException>().WithMessage("a.csv: line 2, " + message);
    }

    private static string[] Lines() => File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Reference", "dram.csv"));

    private static ValidationReport Score(string csv) => ValidationSuites.Score(new DramSuite(), csv, "a.csv", TestContext.Current.CancellationToken);
}
