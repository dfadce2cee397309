using System.Globalization;
using Systolic.Units;
using Systolic.Validation;

namespace Systolic.Tests.Validation;

/// <summary>Published readings on GPUs, each with its source.</summary>
public sealed class GpuSuiteTests
{
    private const string Vidur = "Vidur profiling tables (microsoft/vidur)";
    private const string DeepBench = "DeepBench results workbooks (baidu-research)";
    private const string NeuSight = "NeuSight ASPLOS25 dataset";
    private const string LlmCompass = "LLMCompass ISCA24 artifact (measured CSV)";
    private const string Flash2 = "FlashAttention-2 benchmark chart (Dao-AILab repository)";
    private const string Flash3 = "FlashAttention-3 benchmark chart (Dao-AILab repository)";
    private const string CuDnn = "cuDNN frontend SDPA benchmark results, H200, cuDNN 9.19";
    private const string Rrze = "RRZE gpu-benches, ";
    private const string Liger = "Liger-Kernel benchmark table (LinkedIn)";

    private static readonly string Header = string.Join(',', GpuRow.Columns) + "\n";

    [Theory]
    [InlineData("A100-80GB", "gemm", "mlp_up_proj", "M=1 K=4096 N=22016 batch=1", "fp16", 116, "profiler", Vidur, 15)]
    [InlineData("H100-SXM5-80GB", "gemm", "mlp_up_proj", "M=64 K=8192 N=57344 batch=1", "fp16", 328, "profiler", Vidur, 15)]
    [InlineData("V100-SXM2", "gemm", "cublas NT", "M=1760 K=1760 N=7133 batch=1", "fp16", 452, "event", DeepBench, 20)]
    [InlineData("T4", "gemm", "cublas NN", "M=5124 K=2560 N=9124 batch=1", "fp16", 6142, "event", DeepBench, 20)]
    [InlineData("A100-PCIe-40GB", "gemm", "torch.bmm", "M=1024 K=64 N=1024 batch=32", "fp32", 311.95, "event", NeuSight, 20)]
    [InlineData("A100-SXM4-80GB", "gemm", "", "M=1024 K=12288 N=12288 batch=1", "fp16", 1199, "host_sync", LlmCompass, 15)]
    [InlineData("A100-SXM4-80GB", "gelu", "", "M=2048 N=1", "fp16", 47.207, "host_sync", LlmCompass, 5)]
    [InlineData("A100-SXM4-80GB", "gelu", "", "M=268435456 N=1", "fp16", 707.27, "host_sync", LlmCompass, 6)]
    [InlineData("A100-SXM4-80GB", "softmax", "", "M=8192 N=4096", "fp16", 145.91, "host_sync", LlmCompass, 12)]
    [InlineData("A100-80GB", "rmsnorm", "input_layernorm", "M=128 N=4096", "fp16", 5, "profiler", Vidur, 35)] // read in whole microseconds
    [InlineData("A100-80GB", "rmsnorm", "input_layernorm", "M=256 N=4096", "fp16", 8, "profiler", Vidur, 15)]
    [InlineData("H100-SXM5-80GB", "swiglu", "mlp_act", "M=4096 N=11008", "fp16", 139, "profiler", Vidur, 12)]
    [InlineData("V100-PCIe-32GB", "layernorm", "torch eager", "M=8948 N=3984", "fp32", 615.01, "event", NeuSight, 12)]
    [InlineData("A100-PCIe-40GB", "softmax", "torch eager", "M=2097152 N=2048", "fp32", 26373, "event", NeuSight, 12)]
    [InlineData("T4", "gelu", "torch eager", "M=536870912 N=1", "fp32", 17951, "event", NeuSight, 12)]
    [InlineData("A100-SXM4-80GB", "rmsnorm", "liger fwd", "M=2048 N=4096", "bf16", 31.072, "event", Liger, 12)]
    [InlineData("A100-SXM4-80GB", "swiglu_mlp", "huggingface fwd", "seq_q=4096 batch=1", "bf16", 18160, "event", Liger, 12)]
    [InlineData("A100-SXM4-80GB", "attention", "flash2 fwd+bwd", "batch=4 heads_q=32 heads_kv=32 seq_q=4096 seq_kv=4096 head_dim=64", "fp16", 11252, "event", Flash2, 12)]
    [InlineData("H100-SXM5-80GB", "attention", "flash2 fwd", "batch=4 heads_q=8 heads_kv=8 seq_q=4096 seq_kv=4096 head_dim=256", "fp16", 1702, "event", Flash3, 10)]
    [InlineData("H100-SXM5-80GB", "attention", "flash3 fwd", "batch=8 heads_q=16 heads_kv=16 seq_q=2048 seq_kv=2048 head_dim=128", "fp16", 439.8, "event", Flash3, 10)]
    [InlineData("H100-SXM5-80GB", "attention", "cudnn fwd", "batch=8 heads_q=32 heads_kv=32 seq_q=2048 seq_kv=2048 head_dim=64 causal=1", "fp16", 411.49, "event", Flash3, 12)]
    [InlineData("H200", "attention", "cudnn fwd", "batch=1 heads_q=64 heads_kv=8 seq_q=16384 seq_kv=16384 head_dim=128", "fp8", 8335, "event", CuDnn, 16)]
    [InlineData("V100-PCIe-32GB", "model", "opt_13 inference", "batch=2 seq_q=2048", "fp32", 1273700, "event", NeuSight + " (model labels)", 15)]
    [InlineData("H100-SXM5-80GB", "model", "gpt3_27 inference", "batch=8 seq_q=2048", "fp32", 2565900, "event", NeuSight + " (model labels)", 15)]
    [InlineData("4x A100-SXM4 NVLink3", "layer", "sum of operators", "M=16384 N=12288 batch=8 heads_q=96 seq_q=2048 seq_kv=2048 head_dim=128", "fp16", 66747, "host_sync", LlmCompass, 12)]
    [InlineData("4x A100-SXM4 NVLink3", "allreduce", "", "M=64 batch=4", "fp16", 12.35, "event", LlmCompass, 12)]
    [InlineData("4x A100-SXM4 NVLink3", "allreduce", "", "M=67108864 batch=4", "fp16", 961.7, "event", LlmCompass, 6)]
    [InlineData("A100-SXM4-80GB", "mem_latency", "pointer chase 1008 KiB", "M=1032294", "", 0.14596, "device", Rrze + "gpu-latency", 5)]
    [InlineData("H200", "copy", "back-to-back small kernels, CUDA graph", "M=730743", "fp64", 3.2388, "device", Rrze + "gpu-small-kernels", 8)]
    public void Readings_are_met(string device, string op, string variant, string sizes, string type, double microseconds, string timing, string source, double percent)
    {
        ValidationReport report = Score(Line(device, op, variant, sizes, type, microseconds, double.NaN, timing, source));

        ValidationRow row = report.Rows.Should().ContainSingle().Subject;
        row.ErrorPercent.Should().BeInRange(-percent, percent);
        row.Group.Should().Be($"{device}/{op}/{timing}");
    }

    [Theory]
    [InlineData("V100-PCIe-32GB", "mem_read", "stream read, occupancy 50.0%", 746)]
    [InlineData("H100-PCIe", "mem_triad", "stream triad, occupancy 100.0%", 1720)]
    [InlineData("H200", "mem_read", "shared-cache sweep", 9628.8)]
    public void Rates_are_met(string device, string op, string variant, double gigabytes) =>
        Score(Line(device, op, variant, "M=34603008", "fp64", double.NaN, gigabytes, "device", Rrze)).Rows.Should().ContainSingle().Which.ErrorPercent.Should().BeInRange(-10, 10);

    [Theory]
    [InlineData("MI210", "gemm", "", LlmCompass, "no machine of the library is a MI210")]
    [InlineData("H100-PCIe", "roofline", "2.0 flop/byte", Rrze, "no model of roofline in the library")]
    [InlineData("H100-PCIe", "gemm", "", "a blog", "how a blog times gemm (host_sync) is not known")]
    [InlineData("V100-SXM2", "attention", "flash2 fwd", Flash2, "a size of attention is missing")]
    public void What_has_no_prediction_is_skipped_with_the_reason(string device, string op, string variant, string source, string reason)
    {
        ValidationReport report = Score(Line(device, op, variant, "M=64 N=64 K=64 batch=1", "fp16", 10, double.NaN, "host_sync", source));

        report.Rows.Should().BeEmpty();
        report.Skipped.Should().ContainSingle().Which.Reason.Should().Be(reason);
    }

    [Fact]
    public void Sizes_beyond_64_bits_are_skipped() =>
        Score(Line("T4", "gemm", "", "M=1099511627776 K=1099511627776 N=1099511627776", "fp16", 10, double.NaN, "event", DeepBench)).Skipped
            .Should().ContainSingle().Which.Reason.Should().Be("sizes of gemm exceed 64 bits");

    [Fact]
    public void Kernels_that_the_library_does_not_have_are_skipped_by_name()
    {
        ValidationReport report = Score(
            Line("A100-SXM4-80GB", "attention", "xformers fwd+bwd", "batch=1 heads_q=1 heads_kv=1 seq_q=64 seq_kv=64 head_dim=64", "fp16", 10, double.NaN, "event", Flash2)
            + Line("V100-PCIe-32GB", "model", "switchxl4 inference", "batch=1 seq_q=512", "fp32", 10, double.NaN, "event", NeuSight)
            + Line("H100-SXM5-80GB", "gemm", "fast.cu kernel", "M=64 N=64 K=64 batch=1", "bf16", 10, double.NaN, "event", "fast.cu README"));

        report.Skipped.Select(skip => skip.Reason).Should().BeEquivalentTo(
            "no kernel of xformers in the library", "a model whose sizes are not published: switchxl4", "a hand-written kernel, not the library's");
    }

    [Fact]
    public void A_product_runs_the_kernel_that_the_profiler_named_and_otherwise_the_fastest()
    {
        // NeuSight: 512 x 1536 x 1536 on A100 PCIe 80 GB took 206.61 us in ampere_sgemm_32x128_tn, the fastest tile here too.
        string Product(string notes) => Line("A100-PCIe-80GB", "gemm", "torch.nn.Linear with bias", "M=512 K=1536 N=1536 batch=1", "fp32", 206.61, double.NaN, "event", NeuSight, notes);
        ValidationReport report = Score(Product("kernel ampere_sgemm_128x128_tn") + Product("kernel ampere_sgemm_32x128_tn") + Product("") + Product("kernel ampere_sgemm_7777x128_tn"));

        report.Rows[0].Predicted.Should().BeGreaterThan(report.Rows[1].Predicted);
        report.Rows.Skip(2).Should().OnlyContain(row => row.Predicted == report.Rows[1].Predicted);
    }

    [Fact]
    public void A_class_is_reported_beside_its_target()
    {
        ValidationReport report = Score(
            Line("A100-PCIe-40GB", "add", "torch eager", "M=16384 N=6400", "fp32", 939.34, double.NaN, "event", NeuSight)
            + Line("T4", "add", "torch eager", "M=16384 N=6400", "fp32", 5000, double.NaN, "event", NeuSight));

        ValidationClass rows = report.Classes.Should().ContainSingle().Subject;
        rows.Rows.Name.Should().Be("softmax, norms, elementwise");
        rows.Rows.Count.Should().Be(2);
        rows.TargetPercent.Should().Be(10);
        rows.Rows.MeanPercent.Should().BeApproximately(report.Rows.Average(row => Math.Abs(row.ErrorPercent)), 1e-9);
    }

    [Fact]
    public void Figures_of_other_models_stand_beside_and_count_nowhere()
    {
        string line = Line("A100-PCIe-40GB", "add", "torch eager", "M=16384 N=6400", "fp32", 939.34, double.NaN, "event", NeuSight);
        ValidationReport report = Score(line.TrimEnd('\n') + "1000\n");

        report.Rows.Should().HaveCount(2);
        report.Rows[1].Should().Be(new ValidationRow(report.Rows[0].Group, "r", "peer_neusight_us", 939.34, 1000) { IsBeside = true });
        report.Groups.Should().ContainSingle().Which.Count.Should().Be(1);
    }

    [Fact]
    public void Host_time_is_one_number_per_source_clock_and_call_path() =>
        GpuProtocol.All.GroupBy(line => (line.Source, line.Timing, line.Path)).Should().OnlyContain(path => path.Select(line => line.Host).Distinct().Count() == 1);

    [Fact]
    public void No_reading_has_two_protocols() =>
        GpuProtocol.All.SelectMany(line => line.Operators.SelectMany(op => line.Variants.DefaultIfEmpty("").Select(variant => (line.Source, line.Timing, op, variant)))).Should().OnlyHaveUniqueItems();

    [Fact]
    public void A_board_differs_from_its_preset_in_what_its_data_sheet_says()
    {
        GpuBoards.Find("A100-PCIe-40GB")!.Power.Cap.Watts.Should().Be(250);
        GpuBoards.Find("H100-PCIe")!.Multiprocessors.Should().Be(114);
        GpuBoards.Find("V100-PCIe-32GB")!.BoostClock.Hertz.Should().Be(1_380_000_000);
        GpuBoards.Find("8x H100 NVLink4")!.Links.Should().NotBeNull();
        GpuBoards.Count("8x H100 NVLink4").Should().Be(8);
        GpuBoards.Find("H100 with a hat").Should().BeNull();
    }

    [Fact]
    public void Problems_of_a_file_are_told_together()
    {
        Action score = () => Score(
            Line("T4", "gemm", "", "M=-1 K=x", "fp16", 10, double.NaN, "event", DeepBench) + Line("", "gemm", "", "", "fp16", -1, double.NaN, "event", DeepBench));

        score.Should().Throw<InvalidDocumentException>().Which.Message.Split('\n').Should().HaveCount(4);
    }

    [Fact]
    public void Another_header_is_refused() =>
        FluentActions.Invoking(() => ValidationSuites.Score(new GpuSuite(), "id,device\n", "gpu.csv")).Should().Throw<InvalidDocumentException>().WithMessage("gpu.csv: line 1: found the header*");

    private static string Line(string device, string op, string variant, string sizes, string type, double microseconds, double gigabytes, string timing, string source, string notes = "")
    {
        Dictionary<string, string> given = sizes.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        return string.Join(',', GpuRow.Columns.Select(Cell)) + "\n";

        string Cell(string column) => column switch
        {
            "id" => "r",
            "device" => device,
            "op" => op,
            "variant" => Quote(variant),
            "dtype" => type,
            "latency_us" => Number(microseconds),
            "gbps" => Number(gigabytes),
            "timing" => timing,
            "quality" => "A",
            "source" => Quote(source),
            "notes" => op == "swiglu_mlp" ? "config {B: 4; hidden_size: 4096; intermediate_size: 11008}" : notes,
            _ => given.GetValueOrDefault(column, ""),
        };
    }

    private static string Number(double value) => double.IsNaN(value) ? "" : value.ToString(CultureInfo.InvariantCulture);

    private static string Quote(string cell) => $"\"{cell}\"";

    private static ValidationReport Score(string rows) => ValidationSuites.Score(new GpuSuite(), Header + rows, "gpu.csv");
}
