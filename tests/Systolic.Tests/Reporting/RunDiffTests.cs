using System.Text;
using System.Text.Json;
using Systolic.Accounting;
using Systolic.Reporting;
using Systolic.Units;

namespace Systolic.Tests.Reporting;

public class RunDiffTests
{
    private static readonly string Json = Encoding.UTF8.GetString(RealRuns.Json(SyntheticRun.Report));

    [Fact]
    public void Equal_runs_have_no_changes() => RunDiff.Between(SyntheticRun.Report, SyntheticRun.Report).Sections.Should().OnlyContain(section => section.Rows.IsEmpty);

    [Fact]
    public void Changes_are_ranked_and_new_and_missing_operators_named()
    {
        // Before: q_proj 2 x 10 us, k_proj 10 us, norm 2 x 5 us, 10 us between. After: norm once with 12 us of the vector engine, k_proj gone, v_proj new with 10 us.
        OperatorRun[] operators = [.. SyntheticRun.Trace.Operators];
        RunDiff diff = RunDiff.Between(SyntheticRun.Report, Run(
            operators[0],
            operators[2] with { Repeat = 1, Time = Us(12), Stack = SyntheticRun.Stack((CycleComponent.Vector, 12 * SyntheticRun.Microsecond)) },
            operators[1] with { Name = "layer/v_proj" }));

        diff.Sections[0].Rows.Select(row => (row.Name, Text(diff, row), DiffSection.RatioText(row), row.Note)).Should().Equal(
            ("layer/k_proj", "-10 us", "gone", "matrix work -6 us"), ("layer/v_proj", "+10 us", "new", "matrix work +6 us"), ("layer/norm, \"rms\"", "+2 us", "1.20x", "vector +2 us"));
        diff.Sections.Single(section => section.Title == "cycle stack").Rows.Should().ContainSingle().Which.Name.Should().Be("vector");
        diff.Summary.Should().StartWith("time 50 us to 52 us (+2 us, 1.04x), energy ");
    }

    [Fact]
    public void Changes_of_operators_and_of_components_sum_to_that_of_the_run()
    {
        RunDiff diff = RunDiff.Between(SyntheticRun.Report, SyntheticRun.Baseline);
        double time = diff.After.Seconds - diff.Before.Seconds, energy = diff.After.Joules - diff.Before.Joules;

        Sum(diff, "operators by time").Should().BeApproximately(time, 1e-12).And.BeApproximately(50e-6, 1e-12);
        Sum(diff, "cycle stack").Should().BeApproximately(time, 1e-12);
        Sum(diff, "operators by energy").Should().BeApproximately(energy, 1e-9 * energy);
        Sum(diff, "energy by component").Should().BeApproximately(energy, 1e-9 * energy);
        diff.Sections[0].Rows.Should().ContainSingle().Which.Name.Should().Be("(between operators)");
    }

    [Fact]
    public void Engines_and_memory_levels_are_compared()
    {
        // Each product reads 160 kB and works 16 us on both arrays; one is gone.
        RunDiff diff = RunDiff.Between(SyntheticRun.Report, Run(SyntheticRun.Trace.Operators[0], SyntheticRun.Trace.Operators[2]));

        diff.Sections.Single(section => section.Title == "bytes by memory level").Rows.Select(row => (row.Name, row.Change))
            .Should().Equal(("dram read", -160_000), ("scratchpad read", -80_000), ("dram written", -40_000));
        DiffRow engine = diff.Sections.Single(section => section.Title == "busy time of engines").Rows.Single();
        (engine.Name, Math.Round(engine.Change * 1e9)).Should().Be(("tensor", -16_000));
    }

    [Fact]
    public void Operators_of_one_name_are_matched_in_their_order()
    {
        OperatorRun one = SyntheticRun.Trace.Operators[0], other = one with { Time = Us(5), Stack = SyntheticRun.Stack((CycleComponent.Vector, 5 * SyntheticRun.Microsecond)) };

        RunDiff.Between(Run(one, one), Run(one, other)).Sections[0].Rows.Should().ContainSingle().Which.Name.Should().Be("layer/q_proj #2");
    }

    [Fact]
    public void Both_runs_of_a_comparison_are_read()
    {
        using var stream = new MemoryStream();
        JsonReportWriter.Write(stream, Comparison.Of(SyntheticRun.Report, SyntheticRun.Baseline));

        RunSummary.Read(Encoding.UTF8.GetString(stream.ToArray()), "c.json").Select(run => run.Machine).Should().Equal("array", "other");
    }

    [Theory]
    [InlineData("\"systolic-report/1\"", "\"systolic-report/9\"", "r.json: schema: found \"systolic-report/9\", expected \"systolic-report/1\": write the report again with --json of this version")]
    [InlineData("\"machines\"", "\"engines\"", "r.json: machines: found no run, expected one or two*")]
    [InlineData("\"repeat\": 2", "\"repeat\": -2", "r.json: machines[0].operators[0].repeat: found -2, expected a whole number from 1 to *")]
    [InlineData("\"time_s\": 0.00005", "\"time_s\": 0.00006", "r.json: machines[0].time_s: found 6E-05, expected the sum of the operators and overhead_s, 5E-05: write*")]
    [InlineData("\"matrix_work\": 18000", "\"matrix_work\": 18001", "r.json: machines[0].total_cycles: found 50000, expected the sum of cycle_stack, 50001*")]
    [InlineData("\"clock_hz\": 1000000000", "\"clock_hz\": \"fast\"", "r.json: machines[0].clock_hz: found \"fast\", expected a number from 1 to *")]
    [InlineData("\"model\"", "\"mod\"", "r.json: machines[0].model: found nothing, expected a text")]
    [InlineData("\"engines\": {", "\"engines\": 3, \"e\": {", "r.json: machines[0].engines: found 3, expected an object")]
    [InlineData("{", "[", "r.json: line *: malformed JSON: *")]
    public void A_wrong_file_is_refused_with_path_value_and_remedy(string text, string wrong, string message)
    {
        int at = Json.IndexOf(text, StringComparison.Ordinal);
        at.Should().BeGreaterThanOrEqualTo(0);
        Action read = () => RunSummary.Read(Json[..at] + wrong + Json[(at + text.Length)..], "r.json");

        read.Should().Throw<InvalidDocumentException>().WithMessage(message);
    }

    [Fact]
    public void Depth_and_size_are_bounded()
    {
        Action deep = () => RunSummary.Read("{\"a\":" + new string('[', 100) + new string(']', 100) + "}", "r.json"), large = () => RunSummary.Read(new string(' ', 5 << 20), "r.json");

        deep.Should().Throw<InvalidDocumentException>().WithMessage("r.json: *depth*");
        large.Should().Throw<InvalidDocumentException>().WithMessage("r.json: found 5242880 characters, expected at most 4194304");
    }

    [Fact]
    public void A_damaged_file_is_read_or_refused_and_then_compared_and_written()
    {
        var random = new Random(6);
        for (int i = 0; i < 1000; i++)
        {
            string mutated = Mutations.Of(Json, random);
            try
            {
                var diff = RunDiff.Between(RunSummary.Read(Json, "a.json")[0], RunSummary.Read(mutated, "b.json")[0]);
                RunDiffWriter.WriteMarkdown(TextWriter.Null, diff);
                RunDiffWriter.WriteCsv(TextWriter.Null, diff);
                RunDiffWriter.WriteJson(Stream.Null, diff);
            }
            catch (InvalidDocumentException refused)
            {
                refused.Message.Should().StartWith("b.json: ");
            }
            catch (Exception defect)
            {
                defect.Should().BeNull(Mutations.Difference(Json, mutated));
            }
        }
    }

    [Fact]
    public void Diff_in_markdown_is_as_approved() => Approval.Verify("diff.md", () => Write(RunDiffWriter.WriteMarkdown));

    [Fact]
    public void Diff_in_csv_is_as_approved() => Approval.Verify("diff.csv", () => Write(RunDiffWriter.WriteCsv).ReplaceLineEndings("\n"));

    [Fact]
    public void Diff_in_json_says_before_after_and_change()
    {
        using var stream = new MemoryStream();
        RunDiffWriter.WriteJson(stream, RunDiff.Between(SyntheticRun.Report, SyntheticRun.Baseline));
        using JsonDocument json = JsonDocument.Parse(stream.ToArray());

        json.RootElement.GetProperty("schema").GetString().Should().Be("systolic-diff/1");
        JsonElement launch = json.RootElement.GetProperty("cycle_stack")[0];
        launch.GetProperty("name").GetString().Should().Be("launch");
        launch.GetProperty("change_s").GetDouble().Should().BeApproximately(50e-6, 1e-15);
        launch.GetProperty("ratio").GetDouble().Should().BeApproximately(6, 1e-9);
    }

    private static string Write(Action<TextWriter, RunDiff> write)
    {
        using var text = new StringWriter();
        write(text, RunDiff.Between(SyntheticRun.Report, SyntheticRun.Baseline));
        return text.ToString();
    }

    private static RunReport Run(params OperatorRun[] operators) =>
        RunReport.From(SyntheticRun.Array, SyntheticRun.Trace with { Operators = [.. operators] }, "toy", "prefill 100 tokens, batch 1", 100, SyntheticRun.Prices);

    private static double Sum(RunDiff diff, string section) => diff.Sections.Single(found => found.Title == section).Rows.Sum(row => row.Change);

    private static string Text(RunDiff diff, DiffRow row) => diff.Sections[0].ChangeText(row);

    private static SimTime Us(double time) => SimTime.FromMicroseconds(time);
}
