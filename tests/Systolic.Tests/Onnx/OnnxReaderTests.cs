using System.Collections.Immutable;
using Microsoft.ML.OnnxRuntime;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Onnx;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Onnx;

public sealed class OnnxReaderTests
{
    private static readonly ModelShape Gpt2 = ModelPresets.Load("gpt2") with { Type = DataType.Fp32 };

    private static readonly ImportOptions TwoTimes64 = new() { Dimensions = ImportOptions.Default.Dimensions.Add("batch", 2).Add("seq", 64) };

    [Fact]
    public void A_layer_of_gpt2_has_the_operators_weights_and_times_of_the_preset()
    {
        OperatorGraph imported = Read(Gpt2Export.Layer(Gpt2), TwoTimes64), expected = TransformerLayer.Prefill(Gpt2, 2, 64);

        imported.Sections.Should().ContainSingle();
        imported.Sections[0].Operators.Select(op => op.Signature.ToString()).Should().Equal(expected.Sections[0].Operators.Select(op => op.Signature.ToString()));
        imported.Sections[0].Operators.Zip(expected.Sections[0].Operators).Where(pair => pair.First.Signature != pair.Second.Signature || pair.First.Split != pair.Second.Split).Should().BeEmpty();
        imported.Macs.Should().Be(expected.Macs);
        imported.Weights.Should().Be(expected.Weights);
        imported.CompulsoryBytes.Should().Be(expected.CompulsoryBytes);
        imported.Tokens.Should().Be(128);
        foreach (string machine in new[] { "trn2", "h100" })
        {
            IMachine runs = MachinePresets.Load(machine);
            runs.Run(imported, cancellation: TestContext.Current.CancellationToken).Time.Should().Be(runs.Run(expected, cancellation: TestContext.Current.CancellationToken).Time, machine);
        }
    }

    [Fact]
    public void A_model_becomes_its_start_a_layer_that_repeats_and_its_end()
    {
        OperatorGraph imported = Read(Gpt2Export.Model(Gpt2 with { Vocabulary = 1000 }, 3), TwoTimes64);

        imported.Sections.Select(section => (section.Name, section.Repeat)).Should().Equal(("start", 1), ("layer", 3), ("end", 1));
        imported.Sections[1].Operators.Select(op => op.Signature.ToString()).Should().Equal(TransformerLayer.Prefill(Gpt2, 2, 64).Sections[0].Operators.Select(op => op.Signature.ToString()));
        imported.Sections[1].Inputs.Select(input => input.Operand.Name).Should().Equal("hidden");
        imported.Sections[0].Operators.Select(op => op.Kind).Should().Equal("embedding", "embedding", "elementwise");
        imported.Sections[2].Operators.Select(op => op.Kind).Should().Equal("norm", "matmul");
        ((MatMul)imported.Sections[2].Operators[1]).RightTransposed.Should().BeTrue("the table of the tokens lies row by row");
    }

    [Fact]
    public void What_is_read_an_independent_runtime_accepts()
    {
        using var layer = new InferenceSession(Gpt2Export.Layer(Gpt2));
        using var model = new InferenceSession(Gpt2Export.Model(Gpt2 with { Vocabulary = 1000 }, 1));

        layer.InputMetadata.Keys.Should().Equal("hidden_in");
        model.InputMetadata.Keys.Should().BeEquivalentTo("input_ids", "position_ids");
    }

    [Fact]
    public void Symbolic_dimensions_without_a_value_are_named() =>
        FluentActions.Invoking(() => Read(Gpt2Export.Layer(Gpt2), ImportOptions.Default)).Should().Throw<InvalidDocumentException>()
            .WithMessage("model.onnx: found symbolic dimensions \"batch\", \"seq\" without a value, expected one for each; give --dim batch=N --dim seq=N");

    [Fact]
    public void Element_types_can_be_replaced()
    {
        OperatorGraph graph = Read(Gpt2Export.Layer(Gpt2), TwoTimes64 with { Type = DataType.Bf16 });

        graph.Sections[0].Operators.Should().OnlyContain(op => op.Type == DataType.Bf16);
        graph.Weights.Should().Be(TransformerLayer.Prefill(Gpt2 with { Type = DataType.Bf16 }, 2, 64).Weights);
    }

    [Fact]
    public void Operators_that_are_not_built_are_counted_by_name_and_can_be_skipped()
    {
        byte[] bytes = Model(model =>
        {
            string x = model.Node("Conv", [model.Node("Conv", [model.Node("LSTM", [model.Input("x", 4, 8)])])]);
            return model.Node("Relu", [x]);
        });

        FluentActions.Invoking(() => Read(bytes)).Should().Throw<InvalidDocumentException>()
            .WithMessage("model.onnx: found operators that are not built: 2 x \"Conv\", 1 x \"LSTM\", expected those of a transformer; give --skip-unsupported to run without them");
        Read(bytes, new ImportOptions { SkipUnsupported = true }).Sections[0].Operators.Select(op => op.ToString()).Should().Equal("t3: elementwise 4x8");
    }

    // M 4, K 8, N 16; one product per head where both sides are computed.
    [Theory]
    [InlineData("MatMul", "matmul 4x8x16")]
    [InlineData("Relu", "elementwise 4x8")]
    [InlineData("Softmax", "softmax 4x8")]
    [InlineData("Exp", "elementwise 4x8")]
    public void A_node_is_its_operator(string node, string op) =>
        Kinds(model => model.Node(node, node == "MatMul" ? [model.Input("x", 4, 8), model.Weight("w", 8, 16)] : [model.Input("x", 4, 8)])).Should().Equal(op);

    [Fact]
    public void Formulas_are_recognized_in_the_forms_that_exporters_write()
    {
        Kinds(model => Swish(model, model.Input("x", 4, 8), divided: false)).Should().Equal("Silu 4x8");
        Kinds(model => Swish(model, model.Input("x", 4, 8), divided: true)).Should().Equal("Silu 4x8");
        Kinds(model => Erf(model, model.Input("x", 4, 8))).Should().Equal("Gelu 4x8");
        Kinds(model => model.Node("Mul", [Erf(model, model.Input("x", 4, 8)), model.Input("y", 4, 8)])).Should().Equal("GatedGelu 4x8");
        Kinds(model => RootMeanSquare(model, model.Input("x", 4, 8))).Should().Equal("norm 4x8");
        Kinds(model => Exponentials(model, model.Input("x", 4, 8))).Should().Equal("softmax 4x8");
    }

    [Fact]
    public void A_formula_that_is_almost_one_stays_what_it_is()
    {
        // x (1 + erf(y)) is no GELU, and x / sqrt(mean(y^2)) no normalization.
        Kinds(model => Erf(model, model.Input("x", 4, 8), model.Input("y", 4, 8))).Should().NotContain("Gelu 4x8").And.HaveCountGreaterThan(3);
        Kinds(model => RootMeanSquare(model, model.Input("x", 4, 8), model.Input("y", 4, 8))).Should().NotContain("norm 4x8").And.HaveCountGreaterThan(3);
    }

    // 2 sequences, 6 query heads on 2 key/value heads of 16 features; 5 new tokens after 7 of the past: 12 keys. Causal pairs of a head: 8 + 9 + 10 + 11 + 12 = 50; 2 x 6 x 50 x (16 + 16) = 19,200.
    [Fact]
    public void Grouped_query_attention_appends_to_its_cache_and_reads_it()
    {
        OperatorGraph graph = Read(Model(model =>
        {
            string[] inputs = [model.Input("q", [2, 5, 96]), model.Input("k", [2, 5, 32]), model.Input("v", [2, 5, 32]), model.Input("past_key", [2, 2, 7, 16]), model.Input("past_value", [2, 2, 7, 16])];
            return model.Nodes("GroupQueryAttention", inputs, ["context", "present_key", "present_value"], "com.microsoft", ("num_heads", 6L), ("kv_num_heads", 2L))[0];
        }));

        graph.Sections[0].Operators.Select(op => op.ToString()).Should().Equal("context.kv_append: kv append 10x32", "context: attention b2 h6/2 5x12 d16 causal");
        graph.Macs.Value.Should().Be(19_200);
        graph.Memory.KvCache.Value.Should().Be(2 * 2 * 2 * 12 * 16 * 4, "keys and values, sequences, heads, tokens, features, bytes");
    }

    // An empty cache, no unidirectional attribute: 3 x 3 pairs for each of 2 heads, 2 x 9 x (4 + 4) = 144; the product of all three, 3 x 8 x 24 = 576, in three parts.
    [Fact]
    public void Attention_with_its_projection_is_three_products_and_attention()
    {
        OperatorGraph graph = Read(Model(model =>
            model.Nodes("Attention", [model.Input("x", [1, 3, 8]), model.Weight("w", 8, 24), model.Weight("b", 24)], ["context"], "com.microsoft", ("num_heads", 2L))[0]));

        graph.Sections[0].Operators.Select(op => $"{op.Kind} {op.Describe()}").Should().Equal("matmul 3x8x8", "matmul 3x8x8", "matmul 3x8x8", "attention b1 h2/2 3x3 d4");
        graph.Macs.Value.Should().Be(576 + 144);
    }

    [Fact]
    public void A_file_that_is_no_model_is_refused()
    {
        FluentActions.Invoking(() => Read([1, 2, 3])).Should().Throw<InvalidDocumentException>().WithMessage("model.onnx: found bytes that are no ONNX model: *");
        FluentActions.Invoking(() => Read([])).Should().Throw<InvalidDocumentException>().WithMessage("model.onnx: graph: found nothing, expected an ONNX model");
        FluentActions.Invoking(() => OnnxReader.Load("no-such.onnx")).Should().Throw<InvalidDocumentException>().WithMessage("no-such.onnx: found a file that cannot be read: *");
    }

    [Fact]
    public void Operands_that_do_not_fit_are_told_with_their_node() =>
        FluentActions.Invoking(() => Read(Model(model => model.Node("MatMul", [model.Input("x", 4, 8), model.Weight("w", 9, 16)])))).Should().Throw<InvalidDocumentException>()
            .WithMessage("model.onnx: node 0 (\"MatMul\" \"t0\"): found \"x\" 4x8, \"w\" 9x16, expected operands that fit \"MatMul\"");

    private static string Swish(OnnxWriter model, string x, bool divided) => divided
        ? model.Node("Mul", [x, model.Node("Div", [model.Scalar(1), model.Node("Add", [model.Node("Exp", [model.Node("Neg", [x])]), model.Scalar(1)])])])
        : model.Node("Mul", [model.Node("Sigmoid", [x]), x]);

    private static string Erf(OnnxWriter model, string x, string? argument = null) => model.Node("Mul", [
        model.Node("Mul", [x, model.Node("Add", [model.Node("Erf", [model.Node("Div", [argument ?? x, model.Scalar(1.4142135f)])]), model.Scalar(1)])]), model.Scalar(0.5f)]);

    private static string RootMeanSquare(OnnxWriter model, string x, string? argument = null)
    {
        string mean = model.Node("ReduceMean", [model.Node("Mul", [argument ?? x, argument ?? x])], ("axes", new long[] { 1 }));
        string inverse = model.Node("Reciprocal", [model.Node("Sqrt", [model.Node("Add", [mean, model.Scalar(1e-6f)])])]);
        return model.Node("Mul", [model.Weight("gain", 8), model.Node("Mul", [x, inverse])]);
    }

    private static string Exponentials(OnnxWriter model, string x)
    {
        string powers = model.Node("Exp", [model.Node("Sub", [x, model.Node("ReduceMax", [x], ("axes", new long[] { 1 }))])]);
        return model.Node("Div", [powers, model.Node("ReduceSum", [powers, model.Integers(1)])]);
    }

    private static ImmutableArray<string> Kinds(Func<OnnxWriter, string> write) =>
        [.. Read(Model(write)).Sections.SelectMany(section => section.Operators).Select(op => $"{(op is Elementwise { Function: not (ElementwiseFunction.Relu or ElementwiseFunction.Tanh) } pass ? pass.Function.ToString() : op.Kind)} {op.Describe()}")];

    private static byte[] Model(Func<OnnxWriter, string> write)
    {
        using var model = new OnnxWriter();
        model.Output(write(model), []);
        return model.ToArray();
    }

    private static OperatorGraph Read(byte[] bytes, ImportOptions? options = null) => OnnxReader.Read(new MemoryStream(bytes), "model.onnx", options);
}
