using Systolic.Accounting;
using Systolic.Tests.Docs;
using Systolic.Validation;

namespace Systolic.Tests.Validation;

public class KernelLibraryFamilyTests
{
    private static readonly ITrainiumFamily[] Families = [new RmsNormQuantFamily(), new DecodeQkvFamily(), new MlpFamily()];

    /// <summary>Recorded device times of the public kernel library (nki-library 2.29, integration tests) and targets of its design pages (Neuron 2.32), in microseconds.</summary>
    [Theory]
    [InlineData("rmsnorm-quant", "RMSNorm + row-quantize to fp8 (nkilib rmsnorm_quant)", 2, "batch=1 seq=160 hidden=16384 lower_bound=0.0", "bf16", 106.547, 10)]
    [InlineData("rmsnorm-quant", "RMSNorm + row-quantize to fp8 (nkilib rmsnorm_quant)", 2, "batch=1 seq=2048 hidden=16384 lower_bound=0.0", "bf16", 683.281, 10)]
    [InlineData("rmsnorm-quant", "RMSNorm + row-quantize to fp8, target latency", 2, "batch=1 seq=2048 hidden=8192", "bf16", 458.2, 20)]
    [InlineData("qkv", "decode QKV projection (nkilib qkv_tkg), RMS_NORM", 2, "batch=4 seq=1 hidden=16384 qkv_dim=512 d_head=128", "bf16", 74.809, 8)]
    [InlineData("qkv", "decode QKV projection (nkilib qkv_tkg), RMS_NORM fused residual add", 2, "batch=8 seq=7 hidden=16384 qkv_dim=512 d_head=128", "bf16", 123.833, 8)]
    [InlineData("qkv", "decode QKV projection (nkilib qkv_tkg), RMS_NORM", 2, "batch=8 seq=5 hidden=8192 qkv_dim=5120 d_head=1024", "bf16", 265.157, 8)]
    [InlineData("mlp", "decode gated MLP (nkilib mlp_tkg), NO_NORM, SiLU", 2, "batch=4 seq=1 hidden=16384 intermediate=832 gate_up_col_tiling=1 down_col_tiling=1 down_opt_layout=0", "bf16", 153.946, 8)]
    [InlineData("mlp", "decode gated MLP (nkilib mlp_tkg), NO_NORM, SiLU", 2, "batch=4 seq=1 hidden=16384 intermediate=832 gate_up_col_tiling=1 down_col_tiling=0 down_opt_layout=0", "bf16", 186.435, 18)]
    [InlineData("mlp", "decode gated MLP (nkilib mlp_tkg), NO_NORM skip_gate, SiLU", 2, "batch=4 seq=1 hidden=16384 intermediate=832 gate_up_col_tiling=1 down_col_tiling=1 down_opt_layout=0", "bf16", 109.052, 8)]
    [InlineData("mlp", "decode gated MLP (nkilib mlp_tkg), RMS_NORM, SiLU", 2, "batch=4 seq=5 hidden=1024 intermediate=512 gate_up_col_tiling=1 down_col_tiling=1 down_opt_layout=0", "bf16 x fp8_e4m3 weights (static)", 46.429, 10)]
    [InlineData("mlp", "decode gated MLP (nkilib mlp_tkg), RMS_NORM, SiLU", 2, "batch=4 seq=1 hidden=8192 intermediate=1024 gate_up_col_tiling=0 down_col_tiling=0 down_opt_layout=1", "bf16 x fp8_e4m3 weights (row)", 87.849, 25)]
    [InlineData("mlp", "prefill gated MLP (nkilib mlp_cte), NO_NORM, SiLU", 2, "batch=2 seq=1024 hidden=16384 intermediate=896", "bf16 x fp8 weights (row)", 1010, 5)]
    public void Device_times_are_those_recorded(string family, string workload, int cores, string shapes, string type, double microseconds, double percent)
    {
        var row = new TrainiumRow("row", "Trn2 (NeuronCore-v3)", cores, workload, shapes, type, "kernel device time", microseconds, "us", "");
        ITrainiumFamily taken = Families.Should().ContainSingle(candidate => candidate.Takes(row)).Subject;

        taken.Name.Should().Be(family);
        row.InUnit(taken.Predict(row).Time!.Value).Should().BeApproximately(microseconds, microseconds * percent / 100);
    }

    /// <summary>Constants of the public list that no rule was made with: shapes, norms and functions of a prefill.</summary>
    [Fact]
    public void Prefill_blocks_take_what_the_public_list_says()
    {
        ValidationReport report = ValidationSuites.Run("trainium", Path.Combine(Pages.Root, "docs", "accuracy", "prefill-mlp.csv"), TestContext.Current.CancellationToken);

        ValidationGroup group = report.Groups.Should().ContainSingle().Subject;
        group.Count.Should().Be(28);
        group.MeanPercent.Should().BeLessThan(11);
    }

    [Fact]
    public void What_does_not_fit_says_so()
    {
        var row = new TrainiumRow("row", "Trn2 (NeuronCore-v3)", 2, "row-quantize to fp8 (nkilib rmsnorm_quant)", "batch=1 seq=2 hidden=120000", "bf16", "kernel device time", 1, "us", "");

        Action predict = () => new RmsNormQuantFamily().Predict(row);
        predict.Should().Throw<CapacityException>().WithMessage("*does not fit SBUF*");
    }
}
