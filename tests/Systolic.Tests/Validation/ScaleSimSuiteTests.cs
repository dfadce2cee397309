using Systolic.Units;
using Systolic.Validation;

namespace Systolic.Tests.Validation;

public class ScaleSimSuiteTests
{
    private const int Figures = 19;

    [Theory]
    [InlineData("scalesim_gemm.csv", 112)]
    [InlineData("scalesim_conv.csv", 26)]
    public void Every_figure_of_every_row_is_exact(string file, int rows)
    {
        ValidationReport report = ValidationSuites.Run("scalesim", Reference(file), TestContext.Current.CancellationToken);

        report.Skipped.Should().BeEmpty();
        report.Rows.Should().HaveCount(rows * Figures);
        report.Rows.Where(row => !row.IsExact).Should().BeEmpty();
        report.Groups.Should().HaveCount(6).And.OnlyContain(group => group.Exact == group.Count && group.MaximumPercent == 0);
    }

    [Fact]
    public void Groups_are_kind_dataflow_and_bandwidth_mode() => ValidationSuites.Run("scalesim", Reference("scalesim_conv.csv"), TestContext.Current.CancellationToken)
        .Groups.Select(group => group.Name).Should().Equal("conv/is/CALC", "conv/is/USER", "conv/os/CALC", "conv/os/USER", "conv/ws/CALC", "conv/ws/USER");

    [Fact]
    public void A_changed_figure_is_found()
    {
        string[] lines = File.ReadAllLines(Reference("scalesim_gemm.csv"))[..2];

        // Row g003 reports 13536 stalls; 16920 is a quarter more, so the prediction is 20 % low.
        ValidationReport report = Score($"{lines[0]}\n{lines[1].Replace(",13536,", ",16920,", StringComparison.Ordinal)}\n");

        report.Rows.Single(row => !row.IsExact).Should().BeEquivalentTo(new { Id = "g003", Column = "stall_cycles", Expected = 16920.0, Predicted = 13536.0, ErrorPercent = -20.0 });
        report.Groups.Single().MaximumPercent.Should().Be(20);
    }

    [Fact]
    public void What_cannot_be_modelled_is_counted()
    {
        string gemm = File.ReadAllLines(Reference("scalesim_gemm.csv"))[0];
        string conv = File.ReadAllLines(Reference("scalesim_conv.csv"))[0];
        string figures = new('0', Figures);

        Score($"{gemm}\na,os,1,1,1,1,1,1,1,1,CALC,,,,{string.Join(',', figures.AsEnumerable())}\n").Skipped.Should().ContainSingle()
            .Which.Should().Be(new ValidationSkip("the layer takes a single cycle, of which SCALE-Sim reports 0 and no utilization", 1));
        Score($"{conv}\na,os,1,1,2,2,3,3,1,1,1,1,1,1,CALC,,,,{string.Join(',', figures.AsEnumerable())}\n").Skipped.Should().ContainSingle()
            .Which.Reason.Should().Be("the filter is larger than the input");
    }

    [Fact]
    public void A_bad_field_is_told_with_line_and_column()
    {
        string[] lines = File.ReadAllLines(Reference("scalesim_gemm.csv"))[..2];

        Action score = () => Score($"{lines[0]}\n{lines[1].Replace(",USER,3,", ",USER,,", StringComparison.Ordinal)}\n");

        score.Should().Throw<InvalidDocumentException>().WithMessage("a.csv: line 2, column ifmap_bandwidth: found \"\", expected a whole number from 1 to 1048576");
    }

    [Fact]
    public void Another_header_is_refused()
    {
        Action score = () => Score("a,b\n1,2\n");

        score.Should().Throw<InvalidDocumentException>().WithMessage("a.csv: line 1: found the header \"a,b\", expected \"case_id,dataflow,*");
    }

    private static string Reference(string file) => Path.Combine(AppContext.BaseDirectory, "Reference", file);

    private static ValidationReport Score(string csv) => ValidationSuites.Score(new ScaleSimSuite(), csv, "a.csv", TestContext.Current.CancellationToken);
}
