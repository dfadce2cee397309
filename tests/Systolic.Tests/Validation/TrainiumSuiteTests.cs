using Systolic.Units;
using Systolic.Validation;

namespace Systolic.Tests.Validation;

public class TrainiumSuiteTests
{
    private const string Header = "id,device,cores,workload,shapes,dtype,metric,value,unit,source,notes";

    /// <summary>Public readings: profile screenshots of the DMA introduction and performance guide (Neuron 2.32), matrix tutorial 2.26, kernel optimization introduction 2.32, nki-samples issue 1005.</summary>
    private const string Rows = """
        a,Trn2 (NeuronCore-v3),1,activation(exp) instruction,"[4,4096]",bf16,instruction duration,3705,ns,,
        b,Trn1 (NeuronCore-v2),1,"dependent back-to-back ScalarE activation (identity, scale+bias)","[128,1] per instruction",fp32,initiation interval,189,ns,,
        c,Trn2 (NeuronCore-v3),1,"DMA HBM->SBUF, one DMA engine active, one transfer","bf16 [4,4096] = 32 KiB",bf16,DMA transfer duration,1416,ns,,
        d,Trn2 (NeuronCore-v3) (inferred),1,"DMA HBM->SBUF throughput vs bytes per partition, P=128","128 partitions x 512 B",n/a,throughput relative to the 32768 B point,20.6,percent,,
        e,Trn1 (NeuronCore-v2),1,"matmul fully blocked (16x128 M, 2x512 N, 8x128 K)",M=4096 K=8192 N=8192,bf16,kernel latency p99,6.97,ms,,
        f,Trn2 (NeuronCore-v3),1,matmul v5 blocked all dims,M=4096 K=8192 N=8192,fp32,device time,28.3,ms,,
        g,Trn1 (NeuronCore-v2),1,"nki-samples contributed matmul (Z-stationary, 8/4/4 tile blocks)",M=4096 K=8192 N=8192,fp16,kernel latency p50,6931,us,,

        """;

    [Fact]
    public void Public_readings_are_met()
    {
        ValidationReport report = Score(Header + "\n" + Rows);

        report.Skipped.Should().BeEmpty();
        report.Rows.Should().HaveCount(7).And.OnlyContain(row => Math.Abs(row.ErrorPercent) < 3);
        report.Groups.Select(group => group.Name).Should().Equal("dma/trn2", "dma/trn2/share", "instruction/trn1", "instruction/trn2", "matmul/trn1", "matmul/trn2");
    }

    [Fact]
    public void An_upper_bound_is_kept_or_missed()
    {
        ValidationReport kept = Score(Bound("7.5")), missed = Score(Bound("6"));

        kept.Rows.Should().ContainSingle().Which.ErrorPercent.Should().Be(0);
        kept.Groups.Should().ContainSingle().Which.Name.Should().Be("matmul/trn1/bound");
        missed.Rows.Should().ContainSingle().Which.ErrorPercent.Should().BeInRange(15, 20);

        static string Bound(string value) => $"{Header}\na,Trn1 (NeuronCore-v2),1,gemm final,M=4096 K=8192 N=8192,bf16,kernel latency p50 upper bound,{value},ms,,\n";
    }

    [Fact]
    public void What_has_no_prediction_is_skipped_with_the_reason()
    {
        ValidationReport report = Score($"""
            {Header}
            a,Inferentia2 (Inf2.48xlarge),24,Llama-3-70B text generation,batch=1,bf16,time per output token p50,33,ms,,
            b,Trn1 (NeuronCore-v2),1,gemm step 3,M=4096 K=8192 N=8192,bf16,kernel latency p99,8.07,ms,,
            c,Trn1 (NeuronCore-v2),1,a kernel of nobody,n=1,bf16,kernel latency p99,8.07,ms,,
            d,Trn1 (NeuronCore-v2),1,gemm final,M=4096 N=8192,bf16,kernel latency p99,8.07,ms,,

            """);

        report.Rows.Should().BeEmpty();
        report.Skipped.Select(skip => skip.Reason).Should().BeEquivalentTo(
            "model: parallelism or lengths are not stated", "matmul: the text of this step is not public", "no kernel of this kind in the library",
            "matmul: d: found the shapes \"M=4096 N=8192\", expected K= with a whole number.");
    }

    [Fact]
    public void Problems_of_a_file_are_told_together()
    {
        Action score = () => Score($"{Header}\na,Trn1,-1,w,s,t,m,x,ms,,\n,Trn1,1,w,s,t,m,1,ms,,\n");

        score.Should().Throw<InvalidDocumentException>().Which.Message.Split("\n").Should().HaveCount(3);
    }

    private static ValidationReport Score(string csv) => ValidationSuites.Score(new TrainiumSuite(), csv, "readings.csv");
}
