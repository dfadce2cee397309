using Systolic.Units;
using Systolic.Validation;

namespace Systolic.Tests.Validation;

/// <summary>Measured fp16 kernels on a TPU v4: repository yutation/SCALE-SIM_Validation, commit dad9479 (2025-09-22), published as arXiv 2603.22535.</summary>
public sealed class TpuSuiteTests
{
    private const string Header = "op,regime,M,K,N,rows,cols,dtype,latency_us,min_us,max_us\n";

    private static readonly Lazy<ValidationReport> Report = new(() => Score(
        """
        matmul,32-128,32,48,48,,,fp16,1.0504,1.0013,1.2556
        matmul,128-1024,128,384,256,,,fp16,1.9507,1.9,2.1429
        matmul,128-1024,768,384,896,,,fp16,11.3232,11.1529,11.4958
        matmul,1024-4096,3584,2560,1024,,,fp16,154.4828,154.2029,154.74
        layernorm,all,,,,3072,2560,fp16,118.1807,117.8958,118.7457
        add,all,,,,512,512,fp16,5.5645,5.46,5.8686

        """));

    [Fact]
    public void Groups_are_operator_and_regime() => Report.Value.Groups.Select(group => group.Name).Should().Equal(
        "add/all", "layernorm/all", "matmul/1024-4096", "matmul/128-1024", "matmul/32-128");

    [Fact]
    public void One_machine_meets_all_regimes() => Report.Value.Rows.Should().OnlyContain(row => Math.Abs(row.ErrorPercent) < 15);

    [Fact]
    public void A_row_that_is_no_kernel_is_refused() => FluentActions.Invoking(() => Score("softmax,all,,,,512,512,fp16,5,5,5\n")).Should().Throw<InvalidDocumentException>()
        .WithMessage("*line 2, column op: found \"softmax\", expected one of: matmul, layernorm, add*");

    private static ValidationReport Score(string rows) => ValidationSuites.Score(new TpuSuite(), Header + rows, "tpu.csv");
}
