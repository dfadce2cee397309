using Systolic.Workloads;

namespace Systolic.Tests.Onnx;

/// <summary>GPT-2 as exporters write it: normalization and GELU spelled out, one product for queries, keys and values, attention in six nodes, keys and values as outputs.</summary>
internal sealed class Gpt2Export(OnnxWriter model, ModelShape shape, string batch = "batch", string tokens = "seq")
{
    private readonly long _hidden = shape.Hidden;

    /// <summary>One layer.</summary>
    public static byte[] Layer(ModelShape shape)
    {
        using var model = new OnnxWriter();
        model.Output(new Gpt2Export(model, shape).Layer(model.Input("hidden_in", ["batch", "seq", shape.Hidden]), 0), ["batch", "seq", shape.Hidden]);
        return model.ToArray();
    }

    /// <summary>Token and position vectors, layers, the last normalization and the logits of all tokens with the table of the tokens.</summary>
    public static byte[] Model(ModelShape shape, int layers)
    {
        using var model = new OnnxWriter();
        var export = new Gpt2Export(model, shape);
        string table = model.Weight("wte", shape.Vocabulary, shape.Hidden);
        string stream = model.Node("Add", [
            model.Node("Gather", [table, model.Input("input_ids", ["batch", "seq"], integers: true)]),
            model.Node("Gather", [model.Weight("wpe", shape.MaxPositions, shape.Hidden), model.Input("position_ids", ["batch", "seq"], integers: true)])]);
        for (int layer = 0; layer < layers; layer++)
        {
            stream = export.Layer(stream, layer);
        }

        string logits = model.Node("MatMul", [export.Normalize(stream, "ln_f"), model.Node("Transpose", [table], ("perm", new long[] { 1, 0 }))]);
        model.Output(logits, ["batch", "seq", shape.Vocabulary]);
        return model.ToArray();
    }

    private string Layer(string x, int layer)
    {
        string name = FormattableString.Invariant($"h.{layer}.");
        string attended = Dense(Attention(Dense(Normalize(x, name + "ln_1"), name + "c_attn", _hidden, 3 * _hidden), layer), name + "attn.c_proj", _hidden, _hidden);
        string stream = model.Node("Add", [attended, x]);
        string activated = Gelu(Dense(Normalize(stream, name + "ln_2"), name + "c_fc", _hidden, shape.Intermediate));
        return model.Node("Add", [stream, Dense(activated, name + "mlp.c_proj", shape.Intermediate, _hidden)]);
    }

    private string Normalize(string x, string name)
    {
        string centred = model.Node("Sub", [x, Mean(x)]);
        string variance = Mean(model.Node("Pow", [centred, model.Scalar(2)]));
        string normalized = model.Node("Div", [centred, model.Node("Sqrt", [model.Node("Add", [variance, model.Scalar(1e-5f)])])]);
        return model.Node("Add", [model.Node("Mul", [normalized, model.Weight(name + ".weight", _hidden)]), model.Weight(name + ".bias", _hidden)]);
    }

    private string Mean(string x) => model.Node("ReduceMean", [x], ("axes", new long[] { -1 }));

    /// <summary>Rows in one matrix, a product with its bias, and the rows in sequences again, their number from the shape.</summary>
    private string Dense(string x, string name, long inputs, long outputs)
    {
        string rows = model.Node("Reshape", [x, model.Integers(-1, inputs)]);
        string product = model.Node("Gemm", [rows, model.Weight(name + ".weight", inputs, outputs), model.Weight(name + ".bias", outputs)]);
        string shapeOfX = model.Node("Shape", [x]);
        string Extent(long axis) => model.Node("Unsqueeze", [model.Node("Gather", [shapeOfX, model.Integers(axis)]), model.Integers(0)]);
        string extents = model.Node("Concat", [.. new[] { 0L, 1L }.Select(axis => model.Node("Squeeze", [Extent(axis), model.Integers(0)])), model.Integers(outputs)], ("axis", 0L));
        return model.Node("Reshape", [product, extents]);
    }

    private string Attention(string all, int layer)
    {
        string[] parts = model.Nodes("Split", [all, model.Integers(_hidden, _hidden, _hidden)], [$"q.{layer}", $"k.{layer}", $"v.{layer}"], "", ("axis", 2L));
        string[] heads = [.. parts.Select(Heads)];
        model.Output(heads[1], [batch, shape.QueryHeads, tokens, shape.HeadDim]);
        model.Output(heads[2], [batch, shape.QueryHeads, tokens, shape.HeadDim]);
        string scores = model.Node("Div", [model.Node("MatMul", [heads[0], model.Node("Transpose", [heads[1]], ("perm", new long[] { 0, 1, 3, 2 }))]), model.Scalar(MathF.Sqrt(shape.HeadDim))]);
        string length = model.Node("Slice", [model.Node("Shape", [all]), model.Integers(1), model.Integers(2)]);
        string mask = model.Node("Slice", [model.Triangle(shape.MaxPositions), model.Integers(0, 0), model.Node("Concat", [length, length], ("axis", 0L)), model.Integers(2, 3)]);
        string weights = model.Node("Softmax", [model.Node("Where", [mask, scores, model.Scalar(float.MinValue)])], ("axis", -1L));
        string context = model.Node("Transpose", [model.Node("MatMul", [weights, heads[2]])], ("perm", new long[] { 0, 2, 1, 3 }));
        return model.Node("Reshape", [context, model.Integers(0, 0, _hidden)]);
    }

    private string Heads(string x) => model.Node("Transpose", [model.Node("Reshape", [x, model.Integers(0, 0, shape.QueryHeads, shape.HeadDim)])], ("perm", new long[] { 0, 2, 1, 3 }));

    private string Gelu(string x)
    {
        string inner = model.Node("Mul", [model.Node("Add", [x, model.Node("Mul", [model.Node("Pow", [x, model.Scalar(3)]), model.Scalar(0.044715f)])]), model.Scalar(0.79788456f)]);
        return model.Node("Mul", [model.Node("Mul", [x, model.Scalar(0.5f)]), model.Node("Add", [model.Node("Tanh", [inner]), model.Scalar(1)])]);
    }
}
