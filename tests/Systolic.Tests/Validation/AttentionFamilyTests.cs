using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Units;
using Systolic.Validation;

namespace Systolic.Tests.Validation;

public class AttentionFamilyTests
{
    private const string Kernel = "attention prefill (nkilib attention_cte), ";

    /// <summary>Microseconds recorded in the integration tests of nki-library, release 2.29 (commit d2ad3a5), test_attention_cte.py.</summary>
    [Theory]
    [InlineData("Trn2", 1, "full", "heads(bs)=1 seq_q=9216 seq_k=9216 d=64 tp_q=1 tp_out=0", "bf16", 1250)] // bound by transposes of probabilities
    [InlineData("Trn2", 1, "full", "heads(bs)=1 seq_q=4096 seq_k=9216 d=64 tp_q=1 tp_out=0", "fp32", 580)]
    [InlineData("Trn2", 2, "causal sink", "heads(bs)=3 seq_q=8192 seq_k=8192 d=64 tp_q=0 tp_out=0", "bf16", 900)] // 65 % of the last head
    [InlineData("Trn2", 2, "causal sink", "heads(bs)=8 seq_q=10240 seq_k=10240 d=64 tp_q=0 tp_out=1", "bf16", 3360)]
    [InlineData("Trn3", 2, "causal sink", "heads(bs)=8 seq_q=10240 seq_k=10240 d=64 tp_q=0 tp_out=1", "bf16", 2630)]
    [InlineData("Trn2", 2, "causal", "heads(bs)=1 seq_q=256 seq_k=256 d=128 tp_q=0 tp_out=1", "bf16", 43)] // start and latencies
    [InlineData("Trn2", 1, "causal", "heads(bs)=1 seq_q=16384 seq_k=16384 d=64 tp_q=1 tp_out=0", "fp16", 1960)] // sections
    [InlineData("Trn2", 2, "causal", "heads(bs)=10 seq_q=512 seq_k=8192 d=128 cp_degree=16 cp_rank=6 tp_q=1 tp_k=0 tp_out=0", "bf16", 530)] // context parallelism
    [InlineData("Trn2", 2, "causal window=128 sink", "heads(bs)=2 seq_q=16384 seq_k=16384 d=64 tp_q=0 tp_out=1", "bf16", 583)]
    public void Published_figures_are_met_within_a_tenth(string chip, int cores, string options, string shapes, string type, double microseconds)
    {
        TrainiumRow row = Row(chip, cores, options, shapes, type);
        SimTime time = new AttentionFamily().Predict(row).Time!.Value;

        row.InUnit(time).Should().BeApproximately(microseconds, microseconds / 10);
    }

    [Fact]
    public void A_row_says_the_options_of_the_kernel()
    {
        PrefillAttention op = AttentionFamily.Read(Row("Trn2", 2, "causal window=121 sink", "heads(bs)=4 kv_heads=1 seq_q=640 seq_k=10240 d=128 prior_len=2044 prior_used=123 cp_degree=16 cp_rank=5 tp_q=0 tp_k=1 tp_out=1", "fp16"));

        op.Should().Be(new PrefillAttention
        {
            Heads = 4,
            KvHeads = 1,
            Queries = 640,
            Keys = 10_240,
            HeadDim = 128,
            PriorKeys = 2044,
            Causal = true,
            Window = 121,
            Sink = true,
            QueriesAnywhere = true,
            QueriesByToken = false,
            KeysByToken = true,
            OutputByToken = false,
            Type = DataType.Fp16,
        });
    }

    private static TrainiumRow Row(string chip, int cores, string options, string shapes, string type) =>
        new("x", $"{chip} (NeuronCore)", cores, Kernel + options, shapes, $"{type} io, fp32 softmax", "kernel device time (QoR)", 1, "us", "");
}
