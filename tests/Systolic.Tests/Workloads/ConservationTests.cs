using Systolic.Workloads;

namespace Systolic.Tests.Workloads;

public class ConservationTests
{
    private static readonly string[] FromOutside = ["hidden", "encoder/hidden", "decoder/hidden", "encoder/output", "hidden.grad", "decoder/hidden.grad", "encoder/output.grad", "encoder/hidden.grad"];

    [Theory]
    [MemberData(nameof(Presets.Phases), MemberType = typeof(Presets))]
    public void What_is_read_was_written_with_as_many_elements(string name, string phase)
    {
        OperatorGraph graph = Presets.Graph(name, phase);
        var written = new Dictionary<string, long>();
        foreach (GraphSection section in graph.Sections)
        {
            Dictionary<string, long> carried = section.Operators.SelectMany(op => op.Writes)
                .GroupBy(tensor => tensor.Operand.Name).ToDictionary(group => group.Key, group => group.Last().Shape.Elements);
            foreach (Operator op in section.Operators)
            {
                foreach (Tensor tensor in op.Reads.Where(tensor => tensor.Operand.Role == TensorRole.Activation))
                {
                    string operand = tensor.Operand.Name;
                    long read = op is Embedding { Backward: false } gather ? gather.TableRows * gather.Columns : tensor.Shape.Elements;
                    bool known = written.TryGetValue(operand, out long elements)
                        || (section.Repeat > 1 && carried.TryGetValue(operand, out elements));
                    if (known)
                    {
                        read.Should().Be(elements, "{0} reads {1}", op.Name, operand);
                    }
                    else
                    {
                        phase.Should().StartWith("layer", "{0} reads {1}, which nothing wrote", op.Name, operand);
                        FromOutside.Should().Contain(operand);
                    }
                }

                foreach (Tensor tensor in op.Writes)
                {
                    // The rows that no index names have a gradient of zero.
                    written[tensor.Operand.Name] = op is Embedding { Backward: true } scatter ? scatter.TableRows * scatter.Columns : tensor.Shape.Elements;
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Presets.Phases), MemberType = typeof(Presets))]
    public void Every_operand_is_named_and_every_name_is_unique_in_its_section(string name, string phase)
    {
        foreach (GraphSection section in Presets.Graph(name, phase).Sections)
        {
            section.Operators.Select(op => op.Name).Should().OnlyHaveUniqueItems();
            section.Operators.SelectMany(op => op.Outputs).Select(output => output.Name).Should().OnlyHaveUniqueItems();
            foreach (Operator op in section.Operators)
            {
                op.Inputs.Length.Should().Be(op.Reads.Length, op.Name);
                op.Outputs.Length.Should().Be(op.Writes.Length, op.Name);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Presets.Phases), MemberType = typeof(Presets))]
    public void Every_tensor_has_the_model_s_type_or_that_of_its_role(string name, string phase)
    {
        Systolic.Numerics.DataType type = ModelPresets.Load(name).Type;
        foreach (Tensor tensor in Presets.Graph(name, phase).Sections.SelectMany(section => section.Operators).SelectMany(op => op.Reads.Concat(op.Writes)))
        {
            Systolic.Numerics.DataType expected = tensor.Operand switch
            {
                { Role: TensorRole.OptimizerState } or { Name: "loss" } => Systolic.Numerics.DataType.Fp32,
                { Role: TensorRole.Index, Name: not ("rope_table" or "embedding/input" or "encoder/embedding/input" or "vision/embedding/input") } => Systolic.Numerics.DataType.Int32,
                _ when tensor.Operand.Name.EndsWith(".sums", StringComparison.Ordinal) => Systolic.Numerics.DataType.Fp32,
                _ => type,
            };
            tensor.Type.Should().Be(expected, tensor.Operand.Name);
        }
    }

    // 2 sequences of 7 tokens, 2 of 8 experts each: 28 copies, 4 per expert after rounding up, so 32 rows of which 4 are padding.
    [Fact]
    public void Uneven_experts_are_padded_to_equal_rows()
    {
        OperatorGraph graph = TransformerLayer.Prefill(ModelShapes.Mixtral_8x7B, 2, 7);
        MatMul gate = graph.Sections[0].Operators.OfType<MatMul>().Single(op => op.Name.EndsWith("gate_proj", StringComparison.Ordinal));
        (gate.Batch, gate.M).Should().Be((8, 4));
    }

    // One token visits 2 experts with one row each; three tokens make 6 copies, still fewer than 8 experts.
    [Theory]
    [InlineData(1, 2, 1)]
    [InlineData(3, 6, 1)]
    [InlineData(4, 8, 1)]
    [InlineData(5, 8, 2)]
    public void Decoding_reads_only_the_experts_that_are_visited(long batch, long active, long rows)
    {
        OperatorGraph graph = TransformerLayer.Decode(ModelShapes.Mixtral_8x7B, batch, 100);
        MatMul gate = graph.Sections[0].Operators.OfType<MatMul>().Single(op => op.Name.EndsWith("gate_proj", StringComparison.Ordinal));
        (gate.Batch, gate.M).Should().Be((active, rows));
    }
}
