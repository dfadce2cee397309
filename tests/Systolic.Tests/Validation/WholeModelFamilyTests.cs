using Systolic.Validation;

namespace Systolic.Tests.Validation;

public class WholeModelFamilyTests
{
    private const string Header = "id,device,cores,workload,shapes,dtype,metric,value,unit,source,notes";

    /// <summary>Public readings: benchmark tables of the Inf2 and Trn1 performance pages, Neuron 2.32 (transformers-neuronx, SDK 2.18; encoders, SDK 2.26), and trn1_trn1n_nlp_data.csv of the same source tree.</summary>
    private const string Rows = """
        a,Inferentia2 (Inf2.48xlarge),24,Llama-3-70B text generation,batch=1 input=256 output=256 max_seq=512 TP=24,"bf16 weights, Matmult-BF16",time per output token p50,32.48,ms,,
        b,Inferentia2 (Inf2.48xlarge),24,Llama-3-70B text generation,batch=1 input=256 output=256 max_seq=512 TP=24,"bf16 weights, Matmult-BF16",time to first token p50,99.37,ms,,
        c,Inferentia2 (Inf2.48xlarge),24,Llama-3-70B text generation,batch=1 input=256 output=256 max_seq=512 TP=24,"bf16 weights, Matmult-BF16",output token throughput,30.9,tokens/s,,
        d,Trn1 (trn1.32xlarge),32,Llama-2-70b text generation,batch=4 input=128 output=128 max_seq=256 TP=32,"bf16 weights, Matmult-BF16",time per output token p50,26.724,ms,,
        e,Inferentia2 (Inf2.xlarge),2,roberta-base encoder inference,"batch=8 per core, seq=128, data parallel","FP32 model, Matmult-BF16",latency p50,5.4239,ms,,
        f,Trn1 (trn1.2xlarge),2,bert-base-uncased encoder inference,"batch=16 per core, seq=128, data parallel","FP32 model, Matmult-BF16",throughput,3421.57,inferences/s,,
        g,Trn1 (trn1.32xlarge/trn1n.32xlarge),32,HuggingFace BERT-Large Ph1 pre-training,nodes=1 topology=[32xNC(DP)] micro=16 global=16384,Autocast:BF16+SR,training throughput,3530,sequences/s,,
        h,Trn1 (trn1.32xlarge/trn1n.32xlarge),32,HuggingFace BERT-Large Ph1 pre-training,nodes=1 topology=[32xNC(DP)] micro=16 global=16384,Autocast:BF16+SR,MFU,27.49,percent,,

        """;

    [Fact]
    public void Whole_models_are_met_within_the_stated_error()
    {
        ValidationReport report = Score(Rows);

        report.Skipped.Should().BeEmpty();
        report.Rows.Should().HaveCount(8).And.OnlyContain(row => Math.Abs(row.ErrorPercent) < 30);
        report.Rows.Average(row => Math.Abs(row.ErrorPercent)).Should().BeLessThan(15);
        report.Groups.Select(group => group.Name).Should().Equal(
            "model/inf2/encoder", "model/inf2/first-token", "model/inf2/throughput", "model/inf2/token", "model/trn1/encoder", "model/trn1/token", "model/trn1/training", "model/trn1/training/share");
    }

    [Theory]
    [InlineData("Trn2 (trn2.48xlarge),128,\"Llama-3.3-70B, fused speculation\",batch=1 input=10 output=10 TP=64", "model: speculation, whose acceptance is not stated")]
    [InlineData("Trn2,,Qwen3-32B serving,input=128 output=558", "model: the number of cores is not stated")]
    [InlineData("Trn1 (trn1.2xlarge),2,Nobody-7B generation,batch=1 input=10 output=10 TP=2", "model: a model that the library does not know: Nobody-7B generation")]
    [InlineData("Trn1 (trn1.2xlarge),3,Llama-2-7b generation,batch=1 input=10 output=10 TP=3", "model: found 3 tensor-parallel cores, expected 1 or a multiple of the 2 of trn1 (Parameter 'cores')")]
    [InlineData("Trn1 (trn1.32xlarge),32,BERT-Large pre-training,nodes=1", "model: batch sizes are not stated")]
    public void A_row_that_cannot_be_rebuilt_is_skipped_by_name(string row, string reason) =>
        Score($"a,{row},bf16,time per output token p50,1,ms,,\n").Skipped.Should().ContainSingle().Which.Reason.Should().Be(reason);

    private static ValidationReport Score(string rows) => ValidationSuites.Score(new TrainiumSuite(), $"{Header}\n{rows}", "readings.csv");
}
