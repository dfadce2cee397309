using CsCheck;
using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Tests.Workloads;

public class WorkTests
{
    [Fact]
    public void A_llama_layer_s_prefill_is_the_sum_of_its_products()
    {
        // 32 query and 8 kv heads of 128: q and o 4096 x 4096, k and v 4096 x 1024, gate, up and down 4096 x 14336.
        long perToken = (2L * 4096 * 4096) + (2L * 4096 * 1024) + (3L * 4096 * 14336);
        // Query i sees i keys: 2048 x 2049 / 2 pairs, 128 for the score and 128 for the value, 32 heads.
        long attention = 2048L * 2049 / 2 * 32 * 256;
        TransformerLayer.Prefill(ModelShapes.Llama3_8B, 3, 2048).Macs.Value.Should().Be(3 * ((2048 * perToken) + attention));
    }

    [Fact]
    public void A_model_s_prefill_computes_the_logits_of_one_token_per_sequence()
    {
        OperatorGraph layer = TransformerLayer.Prefill(ModelShapes.Llama3_8B, 3, 512);
        TransformerModel.Prefill(ModelShapes.Llama3_8B, 3, 512).Macs.Value.Should().Be((32 * layer.Macs.Value) + (3L * 4096 * 128256));
    }

    [Fact]
    public void A_llama_layer_s_decode_attends_to_the_context_and_the_new_token()
    {
        long perToken = (2L * 4096 * 4096) + (2L * 4096 * 1024) + (3L * 4096 * 14336);
        TransformerLayer.Decode(ModelShapes.Llama3_8B, 4, 1023).Macs.Value.Should().Be(4 * (perToken + (1024L * 32 * 256)));
    }

    [Fact]
    public void A_decoding_layer_must_move_its_weights_and_its_cache()
    {
        // (2 x 4096 x 4096 + 2 x 4096 x 1024 + 3 x 4096 x 14336 + 2 norms of 4096) x 2 bytes; keys and values of 2048 tokens read, of one written.
        long weights = ((2L * 4096 * 4096) + (2L * 4096 * 1024) + (3L * 4096 * 14336) + (2 * 4096)) * 2;
        long cache = 2L * (2048 + 1) * 1024 * 2;
        TransformerLayer.Decode(ModelShapes.Llama3_8B, 1, 2047).CompulsoryBytes.Value.Should().Be(weights + cache);
    }

    // Four projections of h^2 and 2 x 4 h^2 in the feed-forward block; a causal triangle for GPT-2, a full square for BERT.
    [Theory]
    [InlineData("gpt2", 100L * 101 / 2)]
    [InlineData("bert-base", 100L * 100)]
    public void A_layer_of_width_h_multiplies_twelve_h_squared_per_token(string name, long pairs) =>
        TransformerLayer.Prefill(ModelPresets.Load(name), 1, 100).Macs.Value.Should().Be((100L * 12 * 768 * 768) + (pairs * 768 * 2));

    [Fact]
    public void A_t5_decode_step_projects_no_keys_of_the_source()
    {
        // Self-attention projects q, k, v, o and sees 65 tokens; cross-attention projects q and o and sees 64.
        long self = (4L * 768 * 768) + (65 * 768 * 2);
        long cross = (2L * 768 * 768) + (64 * 768 * 2);
        TransformerLayer.Decode(ModelShapes.T5_Base, 1, 64).Macs.Value.Should().Be(self + cross + (2L * 768 * 3072));
    }

    [Fact]
    public void A_t5_prefill_reads_the_source_and_starts_one_token()
    {
        long encoder = 64 * ((4L * 768 * 768) + (2L * 768 * 3072) + (64 * 768 * 2));
        long self = (4L * 768 * 768) + (1 * 768 * 2);
        long cross = (2L * 768 * 768) + (2L * 64 * 768 * 768) + (64 * 768 * 2);
        TransformerLayer.Prefill(ModelShapes.T5_Base, 1, 64).Macs.Value.Should().Be(encoder + self + cross + (2L * 768 * 3072));
    }

    [Fact]
    public void A_mixtral_layer_multiplies_with_two_experts_per_token()
    {
        long attention = (128L * ((2L * 4096 * 4096) + (2L * 4096 * 1024))) + (128L * 129 / 2 * 32 * 256);
        long experts = 2L * 128 * 3 * 4096 * 14336;
        TransformerLayer.Prefill(ModelShapes.Mixtral_8x7B, 1, 128).Macs.Value.Should().Be(attention + (128L * 4096 * 8) + experts);
    }

    [Theory]
    [MemberData(nameof(Presets.All), MemberType = typeof(Presets))]
    public void Training_multiplies_three_times_as_much_as_the_forward_pass_and_four_times_with_recomputation(string name)
    {
        OperatorGraph graph = Presets.Graph(name, "layer training");
        long forward = graph.Sections.TakeWhile(section => !section.Name.EndsWith("backward", StringComparison.Ordinal))
            .Sum(section => section.Operators.Sum(op => op.Macs.Value));
        graph.Macs.Value.Should().Be(3 * forward);
        Presets.Graph(name, "layer recompute").Macs.Value.Should().Be(4 * forward);
        if (!name.StartsWith("t5", StringComparison.Ordinal))
        {
            forward.Should().Be(Presets.Graph(name, "layer prefill").Macs.Value);
        }
    }

    [Fact]
    public void Training_a_model_computes_the_logits_of_every_token()
    {
        long layer = TransformerLayer.Prefill(ModelShapes.Gpt2, 2, 256).Macs.Value;
        TransformerModel.Training(ModelShapes.Gpt2, 2, 256).Macs.Value.Should().Be(3 * ((12 * layer) + (2L * 256 * 768 * 50257)));
    }

    [Fact]
    public void Fewer_layers_can_be_built()
    {
        long layer = TransformerLayer.Prefill(ModelShapes.Gpt2, 1, 64).Macs.Value;
        TransformerModel.Prefill(ModelShapes.Gpt2, 1, 64, layers: 5).Macs.Value.Should().Be((5 * layer) + (768L * 50257));
    }

    [Fact]
    public void A_llama_layer_reads_like_its_paper() =>
        TransformerLayer.Decode(ModelShapes.Llama3_8B, 1, 2047).Sections.Single().Operators.Select(op => $"{op.Name}: {op.Kind} {op.Describe()}").Should().Equal(
            "layer/attn_norm: norm 1x4096",
            "layer/attn/q_proj: matmul 1x4096x4096",
            "layer/attn/q_rope: rope 1x4096",
            "layer/attn/k_proj: matmul 1x4096x1024",
            "layer/attn/k_rope: rope 1x1024",
            "layer/attn/v_proj: matmul 1x4096x1024",
            "layer/attn/kv_append: kv append 1x1024",
            "layer/attn/attention: attention b1 h32/8 1x2048 d128",
            "layer/attn/o_proj: matmul 1x4096x4096",
            "layer/attn_residual: elementwise 1x4096",
            "layer/mlp_norm: norm 1x4096",
            "layer/mlp/gate_proj: matmul 1x4096x14336",
            "layer/mlp/up_proj: matmul 1x4096x14336",
            "layer/mlp/activation: elementwise 1x14336",
            "layer/mlp/down_proj: matmul 1x14336x4096",
            "layer/mlp_residual: elementwise 1x4096");

    [Fact]
    public void The_gradients_of_a_product_swap_its_sides()
    {
        GraphSection backward = TransformerLayer.Training(ModelShapes.Llama3_8B, 1, 512).Sections[1];
        MatMul input = backward.Operators.OfType<MatMul>().Single(op => op.Name == "layer/mlp/down_proj.dx");
        (input.M, input.K, input.N, input.LeftTransposed, input.RightTransposed).Should().Be((512, 4096, 14336, false, true));
        MatMul weight = backward.Operators.OfType<MatMul>().Single(op => op.Name == "layer/mlp/down_proj.dw");
        (weight.M, weight.K, weight.N, weight.LeftTransposed, weight.RightTransposed).Should().Be((14336, 512, 4096, true, false));
        weight.Outputs.Should().Equal(new Operand("layer/mlp/down_proj.weight.grad", TensorRole.WeightGradient));
    }

    [Fact]
    public void The_gradient_of_a_tied_table_lies_as_the_table_does()
    {
        GraphSection head = TransformerModel.Training(ModelShapes.Gpt2, 1, 64).Sections.Single(section => section.Name == "head backward");
        MatMul weight = head.Operators.OfType<MatMul>().Single(op => op.Name == "head/lm_head.dw");
        weight.Writes[0].Shape.Should().Be(new Shape(50257, 768));
        MatMul input = head.Operators.OfType<MatMul>().Single(op => op.Name == "head/lm_head.dx");
        input.RightTransposed.Should().BeFalse();
    }

    [Fact]
    public void An_encoder_does_not_decode() =>
        FluentActions.Invoking(() => TransformerModel.Decode(ModelShapes.Bert_Base, 1, 128))
            .Should().Throw<ArgumentException>().WithMessage("bert-base is encoder-only and has no decode phase; use prefill or training.*");

    [Fact]
    public void Learned_positions_limit_the_tokens() =>
        FluentActions.Invoking(() => TransformerModel.Prefill(ModelShapes.Gpt2, 1, 1025))
            .Should().Throw<ArgumentOutOfRangeException>().WithMessage("gpt2: found 1025, expected at most 1024: the model has 1024 learned positions.*");

    [Fact]
    public void The_last_learned_position_can_be_decoded()
    {
        TransformerModel.Decode(ModelShapes.Gpt2, 1, 1023).Tokens.Should().Be(1);
        FluentActions.Invoking(() => TransformerModel.Decode(ModelShapes.Gpt2, 1, 1024)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(-1, 5)]
    [InlineData(1, long.MinValue)]
    public void Counts_that_are_not_positive_are_refused(long batch, long tokens) =>
        FluentActions.Invoking(() => TransformerLayer.Prefill(ModelShapes.Llama3_8B, batch, tokens)).Should().Throw<ArgumentOutOfRangeException>();

    [Theory]
    [InlineData(0)]
    [InlineData(13)]
    public void Layers_that_the_model_does_not_have_are_refused(long layers) =>
        FluentActions.Invoking(() => TransformerModel.Prefill(ModelShapes.Gpt2, 1, 8, layers))
            .Should().Throw<ArgumentOutOfRangeException>().WithMessage($"gpt2: found {layers} layers, expected 1 to 12.*");

    [Theory]
    [InlineData(long.MaxValue, 1)]
    [InlineData(1, long.MaxValue)]
    [InlineData(1L << 32, 1L << 31)]
    [InlineData(1, 1L << 50)]
    [InlineData(1L << 44, 1)]
    public void Absurd_sizes_overflow_at_once(long batch, long tokens)
    {
        foreach (string phase in new[] { "layer prefill", "layer decode", "layer training", "prefill", "decode", "training" })
        {
            FluentActions.Invoking(() => Presets.Graph(ModelShapes.Llama3_70B, phase, batch, tokens))
                .Should().Throw<OverflowException>(phase).WithMessage("llama-3-70b, *found counts that exceed 64 bits, expected a workload that can be counted; reduce batch or tokens.");
        }
    }

    [Fact]
    public void An_impossible_shape_is_refused() =>
        FluentActions.Invoking(() => TransformerLayer.Prefill(ModelShapes.Llama3_8B with { KvHeads = 5 }, 1, 8))
            .Should().Throw<ArgumentException>().WithMessage("llama-3-8b: found 32 query heads over 5 kv heads, expected a multiple*");

    private static readonly Gen<ModelShape> Shapes =
        from kv in Gen.Long[1, 4]
        from queries in Gen.Long[1, 4]
        from dim in Gen.Long[1, 8]
        from hidden in Gen.Long[1, 64]
        from intermediate in Gen.Long[1, 64]
        from tied in Gen.Bool
        from experts in Gen.Long[0, 5]
        from preset in Gen.OneOf(Gen.Const(ModelShapes.Gpt2), Gen.Const(ModelShapes.Llama3_8B), Gen.Const(ModelShapes.T5_Base), Gen.Const(ModelShapes.Bert_Base))
        select preset with
        {
            KvHeads = kv,
            QueryHeads = kv * queries,
            HeadDim = 2 * dim,
            Hidden = hidden,
            Intermediate = intermediate,
            TiedEmbeddings = tied,
            Experts = experts,
            ExpertsPerToken = (experts + 1) / 2,
            Vocabulary = 97,
        };

    [Fact]
    public void Of_any_shape_training_is_three_forward_passes_and_updates_every_parameter() =>
        Gen.Select(Shapes, Gen.Long[1, 4], Gen.Long[1, 40]).Sample((shape, batch, tokens) =>
        {
            OperatorGraph graph = TransformerModel.Training(shape, batch, tokens);
            long forward = graph.Sections.TakeWhile(section => section.Name != "loss").Sum(section => section.Repeat * section.Operators.Sum(op => op.Macs.Value));
            long updated = graph.Sections.Sum(section => section.Repeat * section.Operators.OfType<AdamW>().Sum(op => op.Rows * op.Columns));
            graph.Macs.Value.Should().Be(3 * forward);
            updated.Should().Be(shape.TrainedParameters);
        }, iter: 200);

    [Fact]
    public void Prefill_of_a_batch_is_that_many_prefills_of_one_sequence() =>
        Gen.Select(Shapes.Where(shape => shape.Experts == 0), Gen.Long[1, 6], Gen.Long[1, 40]).Sample((shape, batch, tokens) =>
            TransformerModel.Prefill(shape, batch, tokens).Macs.Value.Should().Be(batch * TransformerModel.Prefill(shape, 1, tokens).Macs.Value), iter: 200);
}
