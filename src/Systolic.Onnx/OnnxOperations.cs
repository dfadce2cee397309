using System.Collections.Frozen;
using System.Collections.Immutable;
using Systolic.Workloads;
using static Systolic.Workloads.ImportedFunction;

namespace Systolic.Onnx;

/// <summary>What each ONNX operator does, by name: operators of ai.onnx up to opset 25, and of com.microsoft those that transformers are exported with.</summary>
internal static class OnnxOperations
{
    /// <summary>The rules.</summary>
    public static FrozenDictionary<string, Action<OnnxStep>> Table { get; } = Rules().ToFrozenDictionary(rule => rule.Name, rule => rule.Translate, StringComparer.Ordinal);

    private static IEnumerable<(string Name, Action<OnnxStep> Translate)> Rules() =>
    [
        .. Elementwise(Add, "Add", "Sum"), .. Elementwise(Subtract, "Sub"), .. Elementwise(Multiply, "Mul"), .. Elementwise(Divide, "Div"), .. Elementwise(Raise, "Pow"), .. Elementwise(Maximum, "Max"),
        .. Elementwise(Binary, "Min", "Mod", "And", "Or", "Xor", "BitwiseAnd", "BitwiseOr", "PRelu"), .. Elementwise(Compare, "Less", "LessOrEqual", "Greater", "GreaterOrEqual"),
        .. Elementwise(Binary, "Equal"), .. Elementwise(Select, "Where"), .. Elementwise(Negate, "Neg"), .. Elementwise(Exponential, "Exp"), .. Elementwise(Erf, "Erf"), .. Elementwise(Tanh, "Tanh"),
        .. Elementwise(Sigmoid, "Sigmoid"), .. Elementwise(SquareRoot, "Sqrt"), .. Elementwise(Reciprocal, "Reciprocal"), .. Elementwise(Triangle, "Trilu"),
        .. Elementwise(Unary, "Abs", "Log", "Cos", "Sin", "Floor", "Ceil", "Round", "Sign", "Not", "IsNaN", "IsInf", "Softplus", "LeakyRelu", "Elu", "HardSigmoid", "Clip", "CumSum", "ScatterND", "ScatterElements"),
        .. Activation(ElementwiseFunction.Relu, "Relu"), .. Activation(ElementwiseFunction.Gelu, "Gelu", "FastGelu", "BiasGelu"), .. Activation(ElementwiseFunction.Silu, "Swish", "QuickGelu"),
        .. OnnxViews.Rules, .. OnnxAttention.Rules,
        ("MatMul", step => step.Define(Product(step, step.Name, step.Input(0), step.Input(1)), 0)), ("FusedMatMul", step => step.Define(Product(step, step.Name, Flipped(step, 0, "transA"), Flipped(step, 1, "transB")), 0)), ("Gemm", Gemm),
        ("Softmax", step => Rows(step, (rows, columns) => new Softmax("", rows, columns), Last(step))),
        ("LayerNormalization", step => Normalize(step, NormFunction.Layer)), ("RMSNormalization", step => Normalize(step, NormFunction.Rms)), ("SimplifiedLayerNormalization", step => Normalize(step, NormFunction.Rms)),
        ("SkipLayerNormalization", step => SkipNormalize(step, NormFunction.Layer)), ("SkipSimplifiedLayerNormalization", step => SkipNormalize(step, NormFunction.Rms)),
        ("ReduceMean", step => Reduce(step, ReduceMean)), ("ReduceSum", step => Reduce(step, ReduceSum)), ("ReduceMax", step => Reduce(step, ReduceMaximum)), ("ReduceMin", step => Reduce(step, Unary)), ("ReduceProd", step => Reduce(step, Unary)), ("ArgMax", step => Reduce(step, Unary, integers: true)),
    ];

    private static IEnumerable<(string, Action<OnnxStep>)> Elementwise(ImportedFunction function, params string[] names) => names.Select(name => (name, (Action<OnnxStep>)(step => Elementwise(step, function))));

    private static IEnumerable<(string, Action<OnnxStep>)> Activation(ElementwiseFunction function, params string[] names) => names.Select(name => (name, (Action<OnnxStep>)(step => Activate(step, function))));

    /// <summary>Extents of operands that are repeated to each other's, aligned at the end.</summary>
    public static ImmutableArray<long> Broadcasted(params ReadOnlySpan<ImmutableArray<long>> shapes)
    {
        int rank = 0;
        foreach (ImmutableArray<long> shape in shapes)
        {
            rank = Math.Max(rank, shape.Length);
        }

        long[] extents = [.. Enumerable.Repeat(1L, rank)];
        foreach (ImmutableArray<long> shape in shapes)
        {
            for (int i = 0; i < shape.Length; i++)
            {
                ref long extent = ref extents[rank - shape.Length + i];
                extent = extent == 1 || extent == shape[i] ? shape[i] : shape[i] == 1 ? extent : throw new ArgumentException("extents differ");
            }
        }

        return [.. extents];
    }

    private static void Elementwise(OnnxStep step, ImportedFunction function)
    {
        ImmutableArray<ImportedTensor> inputs = step.Inputs, shaped = function is Triangle or Unary ? inputs[..1] : inputs;
        if (inputs.Length < (function is Add or Subtract or Multiply or Divide or Raise or Compare ? 2 : function == Select ? 3 : 1))
        {
            throw new ArgumentException("too few operands");
        }

        bool truth = function == Compare || step.Node.Operation is "Equal" or "Not" or "IsNaN" or "IsInf";
        step.Define(function, inputs, Broadcasted([.. shaped.Select(input => input.Dimensions)]), truth ? null : shaped.Select(input => input.Type).FirstOrDefault(type => type is not null), integers: Computed(step.Node.Operation, inputs));
    }

    /// <summary>Arithmetic on the integers that shapes are made of.</summary>
    private static ImmutableArray<long>? Computed(string operation, ImmutableArray<ImportedTensor> inputs)
    {
        if (inputs.Any(input => input.Integers is null))
        {
            return null;
        }

        ImmutableArray<long>[] values = [.. inputs.Select(input => input.Integers!.Value)];
        int count = values.Max(list => list.Length);
        if (values.Any(list => list.Length != count && list.Length != 1))
        {
            return null;
        }

        Func<Func<int, long>, long>? compute = operation switch
        {
            "Add" => at => at(0) + at(1),
            "Sub" => at => at(0) - at(1),
            "Mul" => at => at(0) * at(1),
            "Div" => at => at(1) == 0 ? 0 : at(0) / at(1),
            "Mod" => at => at(1) == 0 ? 0 : at(0) % at(1),
            "Max" => at => Math.Max(at(0), at(1)),
            "Min" => at => Math.Min(at(0), at(1)),
            "Equal" => at => at(0) == at(1) ? 1 : 0,
            "Less" => at => at(0) < at(1) ? 1 : 0,
            "Greater" => at => at(0) > at(1) ? 1 : 0,
            "Where" => at => at(0) != 0 ? at(1) : at(2),
            "Neg" => at => -at(0),
            "Not" => at => at(0) == 0 ? 1 : 0,
            _ => null,
        };
        return compute is null ? null : [.. Enumerable.Range(0, count).Select(i => compute(input => values[input][values[input].Length == 1 ? 0 : i]))];
    }

    private static void Activate(OnnxStep step, ElementwiseFunction function)
    {
        ImportedTensor x = step.Input(0);
        if (step.Optional(1) is { } bias && step.Node.Operation is "BiasGelu" or "FastGelu")
        {
            x = step.Graph.Append(step.Name + ".bias", Add, [x, bias!], x.Dimensions, x.Type);
        }

        Rows(step, (rows, columns) => new Elementwise("", function, rows, columns), x);
    }

    private static void Rows(OnnxStep step, Func<long, long, Operator> create, ImportedTensor x, params ImmutableArray<ImportedTensor> parameters) =>
        step.Define(create(x.Rows, x.Columns), [x, .. parameters], x.Dimensions);

    /// <summary>The operand of an operator over the last extent.</summary>
    private static ImportedTensor Last(OnnxStep step)
    {
        ImportedTensor x = step.Input(0);
        return step.Axis(step.Number("axis", -1), x.Dimensions.Length) == x.Dimensions.Length - 1 ? x : throw step.Problem("found an axis before the last, expected the last");
    }

    private static void Normalize(OnnxStep step, NormFunction function) => Rows(step, (rows, columns) => new Norm("", function, rows, columns), Last(step), [.. step.Inputs.Skip(1)]);

    /// <summary>The sum of the input, of what skips it and of a bias, normalized; the sum is the fourth result.</summary>
    private static void SkipNormalize(OnnxStep step, NormFunction function)
    {
        int parameters = function == NormFunction.Layer ? 2 : 1;
        ImportedTensor x = step.Input(0);
        if (step.Optional(2 + parameters) is { } bias)
        {
            x = step.Graph.Append(step.Name + ".bias", Add, [x, bias], x.Dimensions, x.Type);
        }

        ImportedTensor sum = step.Graph.Append(step.Name + ".sum", Add, [x, step.Input(1)], x.Dimensions, x.Type);
        step.Define(sum, 3);
        Rows(step, (rows, columns) => new Norm("", function, rows, columns), sum, [.. Enumerable.Range(2, parameters).Select(step.Optional).OfType<ImportedTensor>()]);
    }

    private static void Reduce(OnnxStep step, ImportedFunction function, bool integers = false)
    {
        ImportedTensor x = step.Input(0);
        ImmutableArray<long> listed = step.Find("axis") is { Integer: { } one } ? [one] : step.Numbers(1, "axes") ?? [.. Enumerable.Range(0, x.Dimensions.Length).Select(i => (long)i)];
        HashSet<int> axes = [.. listed.Select(axis => step.Axis(axis, x.Dimensions.Length))];
        bool keep = step.Number("keepdims", 1) != 0;
        ImmutableArray<long> dimensions = [.. x.Dimensions.Select((extent, i) => axes.Contains(i) ? 1 : extent).Where((_, i) => keep || !axes.Contains(i))];
        bool product = step.Node.Operation == "ReduceProd" && x.Integers is { Length: < 16 };
        step.Define(function, [x], dimensions, integers ? null : x.Type, integers: product ? [x.Integers!.Value.Aggregate(1L, (all, factor) => checked(all * factor))] : null);
    }

    /// <summary>A product of matrices, those before the last two extents batched.</summary>
    public static ImportedTensor Product(OnnxStep step, string name, ImportedTensor left, ImportedTensor right)
    {
        ImmutableArray<long> a = left.Dimensions, b = right.Dimensions;
        if (a.IsEmpty || b.IsEmpty || a[^1] != b[Math.Max(0, b.Length - 2)])
        {
            throw new ArgumentException("contraction differs");
        }

        ImmutableArray<long> batch = Broadcasted(a.Length > 2 ? a[..^2] : [], b.Length > 2 ? b[..^2] : []);
        return step.Graph.Product(name, left, right, [.. batch, .. a.Length > 1 ? a[^2..^1] : [], .. b.Length > 1 ? b[^1..] : []], a[^1]);
    }

    /// <summary>a b + c.</summary>
    private static void Gemm(OnnxStep step)
    {
        ImportedTensor left = Flipped(step, 0, "transA"), right = Flipped(step, 1, "transB");
        if (left.Dimensions.Length != 2 || right.Dimensions.Length != 2)
        {
            throw new ArgumentException("no matrices");
        }

        ImportedTensor? bias = step.Optional(2);
        ImportedTensor product = Product(step, bias is null ? step.Name : step.Name + ".product", left, right);
        step.Define(bias is null ? product : step.Graph.Append(step.Name, Add, [product, bias], product.Dimensions, product.Type), 0);
    }

    private static ImportedTensor Flipped(OnnxStep step, int input, string attribute)
    {
        ImportedTensor x = step.Input(input);
        return step.Number(attribute, 0) == 0 ? x : step.Graph.Append(x.Name + ".T", Transpose, [x], [.. x.Dimensions[..^2], x.Dimensions[^1], x.Dimensions[^2]], x.Type);
    }
}
