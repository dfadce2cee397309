using Systolic.Validation;

namespace Systolic.Tests.Validation;

public class TutorialFamilyTests
{
    private const string Header = "id,device,cores,workload,shapes,dtype,metric,value,unit,source,notes";

    private const string Trn1 = "Trn1 (NeuronCore-v2),1";

    [Fact]
    public void Public_readings_are_met()
    {
        // Fused Mamba tutorial, Neuron 2.20 to 2.32; the autocomp repository's baselines.
        ValidationReport report = Score($"""
            a,{Trn1},mamba_v2 NKI kernel (loop reordered),batch=1 seq=512 channels=4096 state=16,fp32,device time,1.61,ms,,
            b,{Trn1},mamba_v3 NKI kernel (seq tiled by 512),batch=1 seq=3072 channels=4096 state=16,fp32,device time,10.1,ms,,
            c,{Trn1},mamba_v3 baseline,batch=1 seq=2048 channels=256 state=16,fp32,kernel latency p99,0.636,ms,,
            d,{Trn1},SD attention baseline (nki-samples kernel),"one head, seq=4096 d=64","fp32 inputs, bf16 matmul",kernel latency p99,0.558,ms,,
            """);

        report.Rows.Should().HaveCount(4).And.OnlyContain(row => Math.Abs(row.ErrorPercent) < 8);
        report.Groups.Should().ContainSingle().Which.Name.Should().Be("tutorial/trn1");
    }

    [Fact]
    public void Public_bounds_are_kept()
    {
        // Latency bounds of the nki-samples unit tests of 2025 and of the assignments of Stanford CS149, 2024 and 2025.
        ValidationReport report = Score($"""
            a,{Trn1},allocated fused RMSNorm+QKV,batch=1 seq=128 dim=1024 qkv_dim=512,bf16,kernel latency p50 upper bound,28,us,,
            b,{Trn1},"fused self-attention (Stable Diffusion small head), compiler-allocated, one head",batch=1 seq=4096 d=128,bf16,kernel latency p50 upper bound,480,us,,
            c,{Trn1},"flash attention forward, sliding window, kv tile 2048",batch=1 heads=1 seq_q=16384 seq_k=16384 d=96 window=4096,bf16,kernel latency p50 upper bound,3.0,ms,,
            d,{Trn1},adaptive average pooling 2D,N=4 C=64 H=56 W=56 out=7x7,fp32,kernel latency p99 upper bound,152,us,,
            e,{Trn1},select-and-scatter (maxpool backward),n=8 c=64 112x112 -> 56x56,fp32,kernel latency p50 upper bound,4500,us,,
            f,{Trn1},fused conv2d + bias (optional 2x2 maxpool),"batch=1 3x3 conv, 256->256 ch, 224x224",fp16,kernel latency p99 threshold,1300,us,,
            g,Trn2 (NeuronCore-v3),1,matrix transpose,4096x4096,fp32,kernel latency extra-credit target,700,us,,
            h,{Trn1},nearest resize,1x30x20x1280 -> 1x59x38x1280,fp16,kernel latency p50 upper bound,659,us,,
            i,Trn2 (NeuronCore-v3),1,fp8 double-row product,M=512 K=16384 N=1024,bf16,kernel latency p99 upper bound,320,us,,
            """);

        report.Rows.Should().HaveCount(9).And.OnlyContain(row => row.IsUpperBound && row.ErrorPercent == 0);
    }

    [Fact]
    public void Rows_that_the_compiler_spills_stand_apart()
    {
        ValidationReport report = Score($"a,{Trn1},mamba_v2 NKI kernel (loop reordered),batch=1 seq=1024 channels=4096 state=16,fp32,device time,4.4,ms,,");

        report.Groups.Should().ContainSingle().Which.Name.Should().Be("tutorial/trn1/spills");
    }

    [Fact]
    public void What_cannot_be_predicted_is_skipped_with_the_reason()
    {
        ValidationReport report = Score($"""
            a,{Trn1},mamba optimised,batch=1 seq=2048 channels=256 state=16,fp32,kernel latency p99,0.359,ms,,
            b,{Trn1},mamba_v1 NKI kernel,batch=1 seq=512 channels=100 state=16,fp32,device time,1,ms,,
            c,{Trn1},matrix transpose,4096,fp32,kernel latency target,700,us,,
            d,{Trn1},"fused conv2d + bias","3x3 conv, 256->many ch, 224x224",fp32,kernel latency p99 threshold,4300,us,,
            """);

        report.Rows.Should().BeEmpty();
        report.Skipped.Select(skip => skip.Reason).Should().BeEquivalentTo(
            "tutorial: the optimised text is not public",
            "tutorial: Found 100 channels and 512 tokens, expected multiples of 128 and 512. (Parameter 'shape')",
            "tutorial: c: found the shapes \"4096\", expected 1 sizes such as 224x224.",
            "tutorial: d: found the shapes \"3x3 conv, 256->many ch, 224x224\" with \"many\", expected a positive number there.");
    }

    private static ValidationReport Score(string rows) => ValidationSuites.Score(new TrainiumSuite(), $"{Header}\n{rows}\n", "readings.csv");
}
