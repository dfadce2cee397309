using CsCheck;
using Systolic.Workloads;

namespace Systolic.Tests.Workloads;

public class TensorParallelTests
{
    [Theory]
    [MemberData(nameof(Presets.Phases), MemberType = typeof(Presets))]
    public void The_ranks_of_divisible_heads_do_the_graph_s_products_between_them(string name, string phase)
    {
        OperatorGraph graph = Presets.Graph(name, phase);
        foreach (int degree in new[] { 1, 2, 4, 8 }.Where(degree => ModelPresets.Load(name) is var shape && (shape.KvHeads == shape.QueryHeads || shape.KvHeads % degree == 0)))
        {
            Macs(TensorParallel.Shard(graph, degree)).Should().Be(graph.Macs.Value, "of {0} ranks", degree);
        }
    }

    [Theory]
    [InlineData("gpt2-xl", 7)]
    [InlineData("gpt2", 16)]
    [InlineData("t5-base", 5)]
    [InlineData("bert-large", 3)]
    public void Heads_without_groups_are_never_computed_twice(string name, int degree)
    {
        OperatorGraph graph = Presets.Graph(name, "training");
        Macs(TensorParallel.Shard(graph, degree)).Should().Be(graph.Macs.Value);
    }

    [Fact]
    public void More_ranks_than_kv_heads_compute_keys_and_values_several_times()
    {
        // 16 ranks of 2 query heads each read one of 8 kv heads, so each of k and v is projected twice: 8 heads x 128 more features, twice.
        OperatorGraph graph = TransformerLayer.Prefill(ModelShapes.Llama3_8B, 1, 512);
        Macs(TensorParallel.Shard(graph, 16)).Should().Be(graph.Macs.Value + (2L * 512 * 4096 * 8 * 128));
    }

    [Fact]
    public void More_ranks_than_heads_leave_ranks_idle()
    {
        ShardedOperator attention = Section(TransformerLayer.Prefill(ModelShapes.Gpt2, 1, 64), 16).Operators.Single(op => op.Whole is Attention);
        attention.Ranks.Count(rank => rank is null).Should().Be(16 - 12);
        TensorParallel.Shard(TransformerLayer.Prefill(ModelShapes.Gpt2, 1, 64), 16).OfRank(15).Sections[0].Operators.OfType<Attention>().Should().BeEmpty();
    }

    [Fact]
    public void One_rank_runs_the_graph_itself()
    {
        OperatorGraph graph = Presets.Graph("mixtral-8x7b", "training");
        OperatorGraph rank = TensorParallel.Shard(graph, 1).OfRank(0);
        rank.Sections.Select(section => section.Name).Should().Equal(graph.Sections.Select(section => section.Name));
        rank.Sections.SelectMany(section => section.Operators).Should().Equal(graph.Sections.SelectMany(section => section.Operators));
        rank.Tokens.Should().Be(graph.Tokens);
    }

    // Korthikanti et al., figure 5: an all-gather before and a reduce-scatter after the attention and the feed-forward block.
    [Theory]
    [InlineData("llama-3-8b")]
    [InlineData("gpt2")]
    public void A_layer_gathers_before_and_scatters_after_each_block(string name)
    {
        ModelShape shape = ModelPresets.Load(name);
        Exchanges(Section(TransformerLayer.Prefill(shape, 2, 256), 4)).Should().Equal(
            Text("all-gather", 512, shape.Hidden), Text("reduce-scatter", 512, shape.Hidden),
            Text("all-gather", 512, shape.Hidden), Text("reduce-scatter", 512, shape.Hidden));
    }

    // Backward, the gradient of each block's output is gathered, its input is gathered again for the weight gradients, and the gradient of the input is
    // scattered: q, k and v (gate and up) add their partial sums first.
    [Fact]
    public void A_layer_s_backward_pass_scatters_once_per_block()
    {
        OperatorGraph graph = TransformerLayer.Training(ModelShapes.Llama3_8B, 1, 256);
        ShardedSection backward = TensorParallel.Shard(graph, 4).Sections.Single(section => section.Name == "layer backward");
        Exchanges(backward).GroupBy(text => text.Split(' ')[0]).ToDictionary(group => group.Key, group => group.Count())
            .Should().BeEquivalentTo(new Dictionary<string, int> { ["all-gather"] = 4, ["reduce-scatter"] = 2 });
    }

    [Fact]
    public void Experts_exchange_the_copies_of_token_rows() =>
        Exchanges(Section(TransformerLayer.Prefill(ModelShapes.Mixtral_8x7B, 1, 256), 4)).Should().Equal(
            Text("all-gather", 256, 4096), Text("reduce-scatter", 256, 4096),
            Text("all-gather", 512, 4096), Text("reduce-scatter", 512, 4096));

    [Fact]
    public void The_loss_reduces_two_numbers_per_token_over_the_vocabulary_s_parts()
    {
        ShardedSection loss = TensorParallel.Shard(TransformerModel.Training(ModelShapes.Gpt2, 2, 64), 4).Sections.Single(section => section.Name == "loss");
        Exchanges(loss).Should().Equal(Text("all-reduce", 128, 2));
        loss.Operators[^1].Ranks.OfType<CrossEntropy>().Sum(op => op.Columns).Should().Be(50257);
    }

    [Theory]
    [MemberData(nameof(Presets.Phases), MemberType = typeof(Presets))]
    public void The_ranks_outputs_cover_each_divided_output_once(string name, string phase)
    {
        foreach (ShardedOperator op in TensorParallel.Shard(Presets.Graph(name, phase), 4).Sections.SelectMany(section => section.Operators))
        {
            // Summands of everything lie on every rank; parameter gradients of a normalization do as well, so only its first output is compared.
            // Keys and values of fewer heads than ranks are computed several times.
            bool shared = op.Whole.Split is { SharedBy: > 0 } split && split.SharedBy != split.Units && split.Units % 4 != 0;
            if (!shared && op.Whole.Split.Axis is not (SplitAxis.Replicate or SplitAxis.Contraction))
            {
                op.Ranks.OfType<Operator>().Sum(part => part.Writes[0].Shape.Elements).Should().Be(op.Whole.Writes[0].Shape.Elements, op.Whole.Name);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Presets.Phases), MemberType = typeof(Presets))]
    public void A_rank_reads_as_many_elements_as_it_holds(string name, string phase)
    {
        const int Degree = 4;
        ShardedGraph sharded = TensorParallel.Shard(Presets.Graph(name, phase, batch: Degree), Degree);
        for (int rank = 0; rank < Degree; rank++)
        {
            var held = new Dictionary<string, long>();
            foreach (Operator op in sharded.OfRank(rank).Sections.SelectMany(section => section.Operators))
            {
                foreach (Tensor tensor in op.Reads.Where(tensor => tensor.Operand.Role == TensorRole.Activation && op is not (Collective or Embedding)))
                {
                    if (held.TryGetValue(tensor.Operand.Name, out long elements))
                    {
                        // Of all gathered copies of token rows, a rank uses those of its experts or of its tokens; of the gradient of a key that all heads share, those of its tokens.
                        bool inPart = op.Split.Axis == SplitAxis.Batch || op is MoePermute or Rope { Split.Axis: SplitAxis.Rows };
                        tensor.Shape.Elements.Should().Be(
                            inPart && tensor.Operand.Name.EndsWith(".gathered", StringComparison.Ordinal) ? elements / Degree : elements, "{0} reads {1}", op.Name, tensor.Operand.Name);
                    }
                }

                foreach (Tensor tensor in op.Writes)
                {
                    if (op is Embedding { Backward: true })
                    {
                        continue;
                    }

                    held[tensor.Operand.Name] = op is Collective { Function: CollectiveFunction.ReduceScatter } ? tensor.Shape.Elements / Degree : tensor.Shape.Elements;
                }
            }
        }
    }

    [Fact]
    public void A_rank_s_attention_has_the_kv_heads_that_its_projections_compute() =>
        Gen.Select(Gen.Int[1, 8], Gen.Int[1, 8], Gen.Int[1, 40]).Sample((kv, group, degree) =>
        {
            ModelShape shape = ModelShapes.Llama3_8B with { KvHeads = kv, QueryHeads = kv * group, HeadDim = 2, Hidden = 16 };
            ShardedSection layer = Section(TransformerLayer.Prefill(shape, 1, 64), degree);
            var keys = layer.Operators.Single(op => op.Whole.Name.EndsWith("k_proj", StringComparison.Ordinal)).Ranks;
            var attention = layer.Operators.Single(op => op.Whole is Attention).Ranks;
            int query = 0;
            for (int rank = 0; rank < degree; rank++)
            {
                var heads = (Attention?)attention[rank];
                int[] queries = [.. Enumerable.Range(query, (int)(heads?.QueryHeads ?? 0))];
                query += queries.Length;
                long read = queries.Select(head => head / group).Distinct().Count();
                (heads?.KvHeads ?? 0).Should().Be(read);
                ((((MatMul?)keys[rank])?.N ?? 0) / 2).Should().Be(read);
            }

            query.Should().Be(kv * group);
        }, iter: 500);

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(65_537)]
    public void Degrees_out_of_range_are_refused(int degree) =>
        FluentActions.Invoking(() => TensorParallel.Shard(TransformerLayer.Prefill(ModelShapes.Gpt2, 1, 8), degree)).Should().Throw<ArgumentOutOfRangeException>();

    private static ShardedSection Section(OperatorGraph graph, int degree) => TensorParallel.Shard(graph, degree).Sections[0];

    private static long Macs(ShardedGraph graph) => Enumerable.Range(0, graph.Degree).Sum(rank => graph.OfRank(rank).Macs.Value);

    private static IEnumerable<string> Exchanges(ShardedSection section) => section.Operators
        .Select(op => op.Whole).OfType<Collective>().Select(op => Text(op.Kind, op.Rows, op.Columns));

    private static string Text(string kind, long rows, long columns) => FormattableString.Invariant($"{kind} {rows}x{columns}");
}
