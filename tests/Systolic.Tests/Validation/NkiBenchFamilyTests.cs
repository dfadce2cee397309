using Systolic.Validation;

namespace Systolic.Tests.Validation;

public class NkiBenchFamilyTests
{
    private const string Header = "id,device,cores,workload,shapes,dtype,metric,value,unit,source,notes";

    /// <summary>Public readings of AccelOpt's NKIBench profiles (repository zhang677/AccelOpt, commit 47e29a7): fp32, one NeuronCore-v2.</summary>
    private static readonly (string Kernel, string Shapes, string Metric, double Value, string Unit, double TolerancePercent)[] Readings =
    [
        ("matmul", "K=5120 M=4096 N=12288", "device time", 35.199742, "ms", 5),
        ("matmul", "K=5120 M=4096 N=12288", "hbm_read_bytes", 9059762176, "bytes", 0),
        ("matmul", "K=5120 M=4096 N=12288", "HFU", 35.9939, "percent", 2),
        ("matmul", "K=5120 M=4096 N=12288", "scalar_engine_active_time_percent", 6.803, "percent", 1),
        ("transpose_matmul", "K=2048 M=4096 N=10944", "device time", 9.610311, "ms", 3),
        ("transpose_matmul", "K=2048 M=4096 N=10944", "hbm_read_bytes", 392167424, "bytes", 0),
        ("add_rmsnorm_matmul", "K=1024 M=4096 N=2048", "device time", 1.221911, "ms", 5),
        ("add_rmsnorm_matmul", "K=1024 M=4096 N=2048", "hbm_read_bytes", 42012672, "bytes", 0),
        ("adamw", "M=10944 N=2048", "device time", 1.999829, "ms", 8),
        ("adamw", "M=10944 N=2048", "vector_engine_active_time_percent", 90.0173, "percent", 10),
        ("rope_single_freq_apply", "B=1 D=128 H=64 N=4096", "device time", 4.33301, "ms", 25),
    ];

    [Fact]
    public void Public_readings_are_met_within_their_tolerance()
    {
        ValidationReport report = Score(Readings.Select(reading => Row(reading.Kernel, reading.Shapes, reading.Metric, reading.Value, reading.Unit)));

        report.Skipped.Should().BeEmpty();
        report.Rows.Should().HaveSameCount(Readings);
        report.Rows.Zip(Readings).Should().AllSatisfy(pair => Math.Abs(pair.First.ErrorPercent).Should().BeLessThanOrEqualTo(pair.Second.TolerancePercent, "of {0} of {1}", pair.Second.Metric, pair.Second.Kernel));
    }

    [Fact]
    public void Kernels_that_spill_count_apart() =>
        Score([Row("bmm", "B=1 K=64 M=256 N=512", "device time", 1, "ms"), Row("bmm", "B=1 K=64 M=256 N=512", "HFU", 1, "percent"), Row("silu", "M=128 N=512", "hbm_write_bytes", 1, "bytes")])
            .Groups.Select(group => group.Name).Should().Equal("nkibench/trn1/count", "nkibench/trn1/spills", "nkibench/trn1/spills/share");

    [Fact]
    public void What_is_not_published_is_skipped_with_the_reason() =>
        Score([Row("silu", "M=128 N=512", "spill_save_bytes", 1, "bytes"), Row("sort", "M=128", "device time", 1, "ms"), "x,Trn1 (NeuronCore-v2),1,NKIBench silu (best kernel found by AccelOpt),M=128 N=512,fp32,device time,1,ms,,"])
            .Skipped.Select(skip => skip.Reason).Should().BeEquivalentTo("nkibench: spills are the compiler's", "nkibench: no such kernel: sort", "nkibench: the text of the best kernel found is not published");

    private static string Row(string kernel, string shapes, string metric, double value, string unit) =>
        FormattableString.Invariant($"r,Trn1 (NeuronCore-v2),1,NKIBench {kernel} (baseline NKI kernel from repository),{shapes},fp32,{metric},{value:R},{unit},,");

    private static ValidationReport Score(IEnumerable<string> rows) => ValidationSuites.Score(new TrainiumSuite(), $"{Header}\n{string.Join("\n", rows)}\n", "readings.csv");
}
