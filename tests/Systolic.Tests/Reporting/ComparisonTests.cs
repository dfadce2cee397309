using Systolic.Reporting;

namespace Systolic.Tests.Reporting;

public class ComparisonTests
{
    private static readonly Comparison Comparison = Comparison.Of(SyntheticRun.Report, SyntheticRun.Baseline);

    [Fact]
    public void Gains_are_the_baseline_over_the_run()
    {
        // 100 us against 50 us.
        Comparison.SpeedUp.Should().BeApproximately(2, 1e-12);
        Comparison.EnergyGain.Should().BeApproximately(SyntheticRun.Baseline.Energy.Joules / SyntheticRun.Report.Energy.Joules, 1e-12);
        Comparison.EnergyDelayGain.Should().BeApproximately(Comparison.SpeedUp * Comparison.EnergyGain, 1e-9);
    }

    [Fact]
    public void Quotients_are_the_run_over_the_baseline()
    {
        Row("time").Quotient.Should().BeApproximately(0.5, 1e-12);

        // 100 tokens in 50 us against 100 us.
        Row("tokens per second").Quotient.Should().BeApproximately(2, 1e-12);

        // The clocks differ, so a quotient of cycles would say nothing.
        Row("cycles").Quotient.Should().BeNull();
    }

    [Fact]
    public void Sentence_says_which_is_faster_and_by_how_much()
    {
        Comparison.Summary.Should().StartWith("array is 2.00x faster than other and uses ");
        Comparison.Of(SyntheticRun.Baseline, SyntheticRun.Report).Summary.Should().StartWith("other is 2.00x slower than array and uses ").And.EndWith("x more energy.");
    }

    [Fact]
    public void Title_names_both_workloads_when_they_differ()
    {
        var other = Comparison.Of(SyntheticRun.Report, SyntheticRun.Baseline with { Phase = "decode" });

        other.ToMarkdown().Should().StartWith("# toy, prefill 100 tokens, batch 1 on array against toy, decode on other\n");
    }

    private static ComparisonRow Row(string name) => Comparison.Rows.Single(row => row.Name == name);
}
