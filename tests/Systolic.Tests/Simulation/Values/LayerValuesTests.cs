using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Tests.Kernels;
using Systolic.Tests.Onnx;
using Systolic.Tests.Workloads;
using Systolic.Workloads;
using Tensor = Systolic.Workloads.Tensor;

namespace Systolic.Tests.Simulation.Values;

/// <summary>A whole Llama-style layer (RMS norm, grouped queries, rotation, gated SiLU), operator by operator on real values, against ONNX Runtime in fp32.</summary>
public class LayerValuesTests
{
    private const int Tokens = 160;

    private static readonly ModelShape Shape = Presets.Small with { Hidden = 256, HeadDim = 64, Intermediate = 512 };

    // fp32: sums of at most 512 terms on either side, so gamma(512) = 3e-5 of the magnitudes for each of the seven products in a row, and much less as errors are of either sign: 1e-5 of the largest value.
    // bf16: some twenty roundings of 2^-9 on the way of an element, of either sign: sqrt(20) 2^-9 = 1 % of the root mean square, and five times that for the worst of 40,960 elements.
    [Theory]
    [InlineData("trn1-core", DataType.Fp32, 1e-5, 2e-6)]
    [InlineData("trn2-core", DataType.Fp32, 1e-5, 2e-6)]
    [InlineData("trn1-core", DataType.Bf16, 0.05, 0.01)]
    [InlineData("trn2-core", DataType.Bf16, 0.05, 0.01)]
    [InlineData("trn3-core", DataType.Bf16, 0.05, 0.01)]
    public void A_prefill_layer_is_what_an_independent_runtime_computes(string machine, DataType type, double worst, double typical)
    {
        Dictionary<string, Matrix> tensors = Tensors(type);
        Matrix expected = RunOnnx(tensors, Tokens);

        new ValueMachine(KernelRuns.Machine(machine)).RunSection(Layer(TransformerLayer.Prefill(Shape with { Type = type }, 1, Tokens)), tensors, TestContext.Current.CancellationToken);

        (double largest, double rms) = Difference(tensors["hidden"], expected);
        double size = Math.Sqrt(expected.Values.ToArray().Average(value => (double)value * value));
        largest.Should().BeLessThan(worst * expected.Values.ToArray().Max(Math.Abs));
        rms.Should().BeLessThan(typical * size);
    }

    [Theory]
    [InlineData("trn1-core", DataType.Fp32, 1e-5)]
    [InlineData("trn2-core", DataType.Bf16, 0.05)]
    public void A_decode_step_continues_the_prefill_from_its_cache(string machine, DataType type, double worst)
    {
        // Prefill of 159 tokens, then one step; against all 160 at once in the other runtime.
        Dictionary<string, Matrix> all = Tensors(type);
        Matrix expected = RunOnnx(all, Tokens);
        var core = new ValueMachine(KernelRuns.Machine(machine));
        Dictionary<string, Matrix> prefill = With(all, 0, Tokens - 1);
        core.RunSection(Layer(TransformerLayer.Prefill(Shape with { Type = type }, 1, Tokens - 1)), prefill, TestContext.Current.CancellationToken);
        Dictionary<string, Matrix> decode = With(all, Tokens - 1, 1);
        foreach (string cache in new[] { "layer/attn/k_cache", "layer/attn/v_cache" })
        {
            decode[cache] = Matrix.From(Tokens, prefill[cache].Columns, (row, column) => row < Tokens - 1 ? prefill[cache][row, column] : float.NaN);
        }

        core.RunSection(Layer(TransformerLayer.Decode(Shape with { Type = type }, 1, Tokens - 1)), decode, TestContext.Current.CancellationToken);

        Matrix last = Matrix.From(1, expected.Columns, (_, column) => expected[Tokens - 1, column]);
        Difference(decode["hidden"], last).Largest.Should().BeLessThan(worst * expected.Values.ToArray().Max(Math.Abs));
    }

    [Fact]
    public void A_missing_tensor_is_named_with_its_reader() =>
        FluentActions.Invoking(() => new ValueMachine(KernelRuns.Machine("trn2-core")).RunSection(Layer(TransformerLayer.Prefill(Shape, 1, 8)), new Dictionary<string, Matrix>()))
            .Should().Throw<KeyNotFoundException>().WithMessage("layer/attn_norm: found no tensor \"hidden\" (8x256 fp32).");

    [Fact]
    public void An_operator_that_is_timed_only_says_so() =>
        FluentActions.Invoking(() => new ValueMachine(KernelRuns.Machine("trn2-core")).Run(new Collective("sum", CollectiveFunction.AllReduce, 8, 8, 2), []))
            .Should().Throw<NotSupportedException>().WithMessage("sum: the kernel of * is timed only*");

    private static GraphSection Layer(OperatorGraph graph) => graph.Sections.Single(section => section.Name == "layer");

    /// <summary>Input, weights and table of the layer, all exact in the type, so that both runtimes start from the same numbers.</summary>
    private static Dictionary<string, Matrix> Tensors(DataType type)
    {
        var tensors = new Dictionary<string, Matrix>
        {
            ["hidden"] = Values.Random(Tokens, (int)Shape.Hidden, 1, type),
            ["rope_table"] = RowValuesTests.Table(Tokens, (int)Shape.HeadDim, type),
        };
        int seed = 2;
        foreach (Tensor read in Layer(TransformerLayer.Prefill(Shape, 1, Tokens)).Operators.SelectMany(op => op.Reads).Where(read => read.Operand.Role == TensorRole.Weight))
        {
            (int rows, int columns) = ((int)read.Shape.Rows, (int)read.Shape.Columns);
            tensors[read.Operand.Name] = rows == 1
                ? Matrix.From(1, columns, (_, column) => 1 + (0.25f * MathF.Sin(column))).Rounded(type)
                : Values.Random(rows, columns, seed++, type, Math.Sqrt(3.0 / rows));
        }

        return tensors;
    }

    private static Dictionary<string, Matrix> With(Dictionary<string, Matrix> all, int first, int rows) => all.ToDictionary(
        pair => pair.Key,
        pair => pair.Key is "hidden" or "rope_table" ? Matrix.From(rows, pair.Value.Columns, (row, column) => pair.Value[first + row, column]) : pair.Value);

    private static (double Largest, double Rms) Difference(Matrix actual, Matrix expected)
    {
        (double largest, double squares) = (0, 0);
        for (int i = 0; i < expected.Values.Length; i++)
        {
            double difference = Math.Abs((double)actual.Values[i] - expected.Values[i]);
            (largest, squares) = (Math.Max(largest, double.IsNaN(difference) ? double.PositiveInfinity : difference), squares + (difference * difference));
        }

        return (largest, Math.Sqrt(squares / expected.Values.Length));
    }

    private static Matrix RunOnnx(Dictionary<string, Matrix> tensors, int tokens)
    {
        using var model = new OnnxWriter();
        string output = WriteLayer(model, tensors, model.Input("hidden", tokens, (int)Shape.Hidden), tokens);
        model.Output(output, tokens, (int)Shape.Hidden);
        using var session = new InferenceSession(model.ToArray());
        var hidden = new DenseTensor<float>(tensors["hidden"].Values.ToArray(), [tokens, (int)Shape.Hidden]);
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> results = session.Run([NamedOnnxValue.CreateFromTensor("hidden", hidden)]);
        float[] values = [.. results.Single().AsTensor<float>()];
        return Matrix.From(tokens, (int)Shape.Hidden, (row, column) => values[(row * (int)Shape.Hidden) + column]);
    }

    private static string WriteLayer(OnnxWriter model, Dictionary<string, Matrix> tensors, string x, int tokens)
    {
        string Weight(string name) => model.Constant(tensors[name + ".weight"]);
        string Project(string input, string name) => model.Node("MatMul", [input, Weight("layer/" + name)]);
        string normalized = Normalize(model, x, Weight("layer/attn_norm"));
        string attention = WriteAttention(model, tensors["rope_table"], Project(normalized, "attn/q_proj"), Project(normalized, "attn/k_proj"), Project(normalized, "attn/v_proj"), tokens);
        string stream = model.Node("Add", [x, Project(attention, "attn/o_proj")]);
        string inner = Normalize(model, stream, Weight("layer/mlp_norm"));
        string gate = Project(inner, "mlp/gate_proj");
        string activated = model.Node("Mul", [model.Node("Mul", [gate, model.Node("Sigmoid", [gate])]), Project(inner, "mlp/up_proj")]);
        return model.Node("Add", [stream, Project(activated, "mlp/down_proj")]);
    }

    private static string Normalize(OnnxWriter model, string x, string gain)
    {
        string mean = model.Node("ReduceMean", [model.Node("Mul", [x, x])], ("axes", new long[] { 1 }), ("keepdims", 1L));
        string root = model.Node("Sqrt", [model.Node("Add", [mean, model.Constant(Matrix.From(1, 1, (_, _) => 1e-5f))])]);
        return model.Node("Mul", [model.Node("Div", [x, root]), gain]);
    }

    private static string WriteAttention(OnnxWriter model, Matrix table, string q, string k, string v, int tokens)
    {
        int d = (int)Shape.HeadDim, half = d / 2;
        string cosines = model.Constant(Matrix.From(tokens, d, (row, column) => table[row, column % half]));
        string sines = model.Constant(Matrix.From(tokens, d, (row, column) => table[row, half + (column % half)]));
        string mask = model.Constant(Matrix.From(tokens, tokens, (row, column) => column > row ? -1e30f : 0));
        string scale = model.Constant(Matrix.From(1, 1, (_, _) => (float)(1 / Math.Sqrt(d))));
        string Rotate(string head) => model.Node("Add", [
            model.Node("Mul", [head, cosines]),
            model.Node("Mul", [model.Concatenate(model.Node("Neg", [model.Columns(head, half, half)]), model.Columns(head, 0, half)), sines])]);
        string[] heads = [.. Enumerable.Range(0, (int)Shape.QueryHeads).Select(head =>
        {
            int shared = head / (int)(Shape.QueryHeads / Shape.KvHeads) * d;
            string keys = model.Node("Transpose", [Rotate(model.Columns(k, shared, d))], ("perm", new long[] { 1, 0 }));
            string scores = model.Node("MatMul", [Rotate(model.Columns(q, head * d, d)), keys]);
            string weights = model.Node("Softmax", [model.Node("Add", [model.Node("Mul", [scores, scale]), mask])], ("axis", 1L));
            return model.Node("MatMul", [weights, model.Columns(v, shared, d)]);
        })];
        return model.Concatenate(heads);
    }
}
