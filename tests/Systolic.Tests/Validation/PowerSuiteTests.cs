using Systolic.Units;
using Systolic.Validation;

namespace Systolic.Tests.Validation;

/// <summary>Published power and energy: H. He 2024 (A100 product), ml-engineering (best shapes), NVIDIA and Google data, ML.ENERGY leaderboard v3.0, model cards.</summary>
public sealed class PowerSuiteTests
{
    private const string Header = "id,chip,workload,metric,value,unit,tolerance_pct,kind,source,confidence,notes\n";

    private static readonly Lazy<ValidationReport> Report = new(() => Score(
        """
        A,A100 SXM4,bf16 GEMM 8192^3,board power,400,W,15,two_sided,H. He 2024,published,achieved 257 TFLOPS; CALIBRATION ROW
        B,H100 SXM5,bf16 GEMM best shape,energy per FLOP,0.881,pJ/FLOP,10,upper_bound,ml-engineering,derived,TDP / 794.5 TFLOPS
        C,A100 SXM4,any,board power,400,W,3,upper_bound,data sheet,published,
        D,H100 SXM5,any,board power,700,W,3,upper_bound,data sheet,published,
        E,H100 SXM5,bare idle,power,71.8,W,25,two_sided,arXiv 2605.23918,measured,
        F,TPU v4,production mean,power,170,W,20,two_sided,ISCA 2023,measured,
        G,1x H100 SXM5,"Llama-3.1-8B-Instruct bfloat16 decode serving (chat), batch 8, TP1",energy per output token,0.454798,J/token,30,two_sided,ML.ENERGY,measured,1070 tok/s; mean output 389 tokens
        H,2x H100 SXM5,"Qwen3-32B bfloat16 decode serving (chat), batch 64, TP2",energy per output token,0.367071,J/token,30,two_sided,ML.ENERGY,measured,2654 tok/s; mean output 635 tokens
        I,H100 80GB,"Llama-3.1 405B training, 30.84 M GPU-h, 3.8e25 FLOP",GPU energy at TDP,21588,MWh,35,upper_bound,model card,derived,
        J,A100,"all-zero vs normal-random bf16 GEMM",throughput ratio,1.148,x,8,two_sided,H. He 2024,published,
        """));

    [Fact]
    public void Groups_are_kind_and_metric_and_calibration_stands_apart() => Report.Value.Groups.Select(group => group.Name).Should().Equal(
        "calibration/board power", "two_sided/energy per output token", "two_sided/power", "two_sided/throughput ratio",
        "upper_bound/GPU energy at TDP", "upper_bound/board power", "upper_bound/energy per FLOP");

    [Fact]
    public void Published_figures_are_met() =>
        Report.Value.Rows.Where(row => !row.IsBeside).Average(row => Math.Abs(row.ErrorPercent)).Should().BeLessThan(10);

    [Fact]
    public void One_sided_rows_hold_and_count_as_exact() =>
        Report.Value.Groups.Where(group => group.Name.StartsWith("upper_bound", StringComparison.Ordinal)).Should().OnlyContain(group => group.Exact == group.Count);

    [Fact]
    public void A_large_product_is_at_the_cap_within_twelve_percent_even_without_it() =>
        Report.Value.Rows.Where(row => row.Column == "without the cap" && row.Group.Contains("board power", StringComparison.Ordinal))
            .Should().HaveCount(3).And.OnlyContain(row => Math.Abs(row.ErrorPercent) < 12);

    [Fact]
    public void An_array_without_a_machine_is_its_rows()
    {
        // fp8 at 7 nm: 0.30 arithmetic + 0.25 pipeline + 0.047 / 2 B x 1.2 scratchpad = 0.5782 pJ; 2 FLOP, 22 % for the clock; (0.6 V / 0.75 V)^2 = 0.64
        ValidationRow row = Score("A,Array 7 nm 0.6 V,HFP8 kernel,efficiency,4,TFLOPS/W,30,two_sided,none,published,\n").Rows.Single();

        row.Predicted.Should().BeApproximately(2 * 0.78 / (0.5782 * 0.64), 1e-3);
    }

    [Fact]
    public void A_bound_that_is_broken_is_an_error()
    {
        ValidationReport broken = Score("A,H100 SXM5,any,board power,100,W,3,upper_bound,none,published,\n");

        broken.Groups.Single().MeanPercent.Should().BeApproximately(600, 1); // 700 W against 100 W
    }

    [Fact]
    public void What_cannot_be_repeated_is_left_out_with_its_reason()
    {
        ValidationReport report = Score(
            """
            A,Abacus,any,power,1,W,3,two_sided,none,published,
            B,A100 (sharded),LLaMA-65B inference,energy per output token,3.5,J/token,40,two_sided,none,published,
            """);

        report.Rows.Should().BeEmpty();
        report.Skipped.Select(skip => skip.Count).Should().Equal(1, 1);
    }

    [Fact]
    public void Bad_fields_are_told_with_line_and_column() =>
        FluentActions.Invoking(() => Score("A,H100,any,power,many,W,3,lower_bound,none,published,\n"))
            .Should().Throw<InvalidDocumentException>().WithMessage("a.csv: line 2, column value: *\na.csv: line 2, column kind: *");

    private static ValidationReport Score(string rows) => ValidationSuites.Score(new PowerSuite(), Header + rows, "a.csv");
}
