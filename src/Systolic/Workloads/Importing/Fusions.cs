using System.Collections.Immutable;
using static Systolic.Workloads.ImportedFunction;

namespace Systolic.Workloads;

/// <summary>Recognizes the operators of transformers in an imported computation that spells them out; each rule looks at the node that computes the result.</summary>
internal static class Fusions
{
    private static readonly ImmutableArray<Func<ImportedNode, bool>> Rules =
        [Logistic, Swish, GaussianUnit, Rectified, Bias, Gate, Exponentials, Normalization, Gain, Rotation, AttentionFusion.Apply, Cached, PartOfProduct];

    /// <summary>Applies every rule to every node in order; what a rule needs lies before its node.</summary>
    public static void Apply(ImportedGraph graph)
    {
        foreach (ImportedNode node in graph.Nodes.Where(node => !node.Output.Known))
        {
            foreach (Func<ImportedNode, bool> rule in Rules)
            {
                if (rule(node))
                {
                    break;
                }
            }
        }
    }

    /// <summary>1 / (1 + exp(-x)) is the logistic function: its last node takes x.</summary>
    private static bool Logistic(ImportedNode node) => node.Output.Producer == node && node.Function is Divide or Reciprocal
        && node.Output.Inverted()?.As(Add) is { } sum
        && sum.Orders().Any(order => order.One.Plain().Value == 1 && order.Other.As(Exponential)?.Inputs[0].As(Negate) is { } negated && Become(node, Unary(ElementwiseFunction.Tanh, node), negated.Inputs[0]));

    /// <summary>x sigmoid(a x).</summary>
    private static bool Swish(ImportedNode node) => node.Function == Multiply && node.Orders().Any(order =>
        Gating(order.Other) is { } argument && argument.FollowsFrom(order.One.Plain()) && Become(node, Unary(ElementwiseFunction.Silu, node), order.One));

    /// <summary>The argument of a logistic function, whole or spelled out.</summary>
    private static ImportedTensor? Gating(ImportedTensor tensor) => tensor.As(Sigmoid)?.Inputs[0]
        ?? (tensor.Plain().Producer is { Operator: Elementwise { Function: ElementwiseFunction.Tanh } } spelled ? spelled.Inputs[0] : null);

    /// <summary>x (1 + erf(x / sqrt 2)) / 2 and x (1 + tanh(...)) / 2, the factors in any order (Hendrycks and Gimpel 2016, arXiv 1606.08415).</summary>
    private static bool GaussianUnit(ImportedNode node)
    {
        if (node.Function is not (Multiply or Divide))
        {
            return false;
        }

        var factors = new List<ImportedTensor>();
        bool halved = Factors(node, factors, 0);
        return halved && factors.Count == 2 && (Pair(factors[0], factors[1]) || Pair(factors[1], factors[0]));

        bool Pair(ImportedTensor x, ImportedTensor distribution) => distribution.As(Add) is { } sum
            && sum.Orders().Any(order => order.One.Plain().Value == 1 && (order.Other.As(Erf) ?? order.Other.As(Tanh))?.Inputs[0].FollowsFrom(x.Plain()) == true)
            && Become(node, Unary(ElementwiseFunction.Gelu, node), x);
    }

    /// <summary>Collects the factors of a product that are no numbers; true when one of the numbers halves it.</summary>
    private static bool Factors(ImportedNode node, List<ImportedTensor> factors, int depth)
    {
        bool halved = false;
        foreach ((ImportedTensor factor, double half) in new[] { (node.Inputs[0], 0.5), (node.Inputs[1], node.Function == Divide ? 2 : 0.5) })
        {
            if (factor.Plain().Value is { } value)
            {
                halved |= value == half;
            }
            else if (factor.As(Multiply) is { } inner && depth < 4)
            {
                halved |= Factors(inner, factors, depth + 1);
            }
            else
            {
                factors.Add(factor);
            }
        }

        return halved;
    }

    /// <summary>max(x, 0).</summary>
    private static bool Rectified(ImportedNode node) => node.Function == Maximum && node.Orders().Any(order => order.One.Plain().Value == 0 && Become(node, Unary(ElementwiseFunction.Relu, node), order.Other));

    /// <summary>A product and a vector added to its rows.</summary>
    private static bool Bias(ImportedNode node) => node.Function == Add && node.Orders().Any(order =>
        order.One.Plain() is { Readers.Count: 1, Producer: { Operator: MatMul { Bias: false, Batch: 1 } product } multiplied } && order.Other.Plain().IsVector(product.N)
        && Become(node, product with { Bias = true }, [.. multiplied.Inputs, order.Other]));

    /// <summary>An activation that multiplies another tensor.</summary>
    private static bool Gate(ImportedNode node) => node.Function == Multiply && node.Orders().Any(order =>
        order.One.Plain() is { Readers.Count: 1, Producer: { Operator: Elementwise { Binary: false } activation } activated } && !order.Other.Known && order.Other.Elements == order.One.Elements && Gated(activation.Function) is { } gated
        && Become(node, activation with { Function = gated }, [activated.Inputs[0], order.Other]));

    private static ElementwiseFunction? Gated(ElementwiseFunction function) => function switch
    {
        ElementwiseFunction.Relu => ElementwiseFunction.GatedRelu,
        ElementwiseFunction.Gelu => ElementwiseFunction.GatedGelu,
        ElementwiseFunction.Silu => ElementwiseFunction.GatedSilu,
        _ => null,
    };

    /// <summary>exp(x - max x) over its sum.</summary>
    private static bool Exponentials(ImportedNode node)
    {
        if (node.Function != Divide || node.Inputs[0].As(Exponential) is not { } exponential || node.Inputs[1].Reduced(ReduceSum)?.Plain() != exponential.Output)
        {
            return false;
        }

        ImportedTensor scores = exponential.Inputs[0].As(Subtract)?.Inputs[0] ?? exponential.Inputs[0];
        return Become(node, new Softmax("", node.Output.Rows, node.Output.Columns), scores);
    }

    /// <summary>(x - mean) / deviation, or x over its root mean square.</summary>
    private static bool Normalization(ImportedNode node) => node.Function switch
    {
        Divide => node.Inputs[1].As(SquareRoot) is { } root && Normalized(node, node.Inputs[0], root.Inputs[0], null),
        Multiply => node.Orders().Any(order => Inverse(order.Other) is var (variance, gain) && Normalized(node, order.One, variance, gain)),
        _ => false,
    };

    /// <summary>The argument of an inverse root, and a vector that multiplies the inverse.</summary>
    private static (ImportedTensor Variance, ImportedTensor? Gain)? Inverse(ImportedTensor tensor)
    {
        ImportedTensor? variance = tensor.As(ReciprocalSquareRoot)?.Inputs[0] ?? tensor.Inverted()?.As(SquareRoot)?.Inputs[0]
            ?? (tensor.As(Raise) is { } power && power.Inputs[1].Plain().Value == -0.5 ? power.Inputs[0] : null);
        return variance is not null ? (variance, null)
            : tensor.As(Multiply)?.Orders().Select(order => order.Other.Known && order.Other.Elements > 1 && Inverse(order.One) is var (inner, _) ? (inner, order.Other) : default)
                .Where(found => found.inner is not null).Select(found => ((ImportedTensor, ImportedTensor?)?)(found.inner!, found.Other)).FirstOrDefault();
    }

    private static bool Normalized(ImportedNode node, ImportedTensor value, ImportedTensor variance, ImportedTensor? gain)
    {
        variance = variance.As(Add) is { } shifted && shifted.Inputs[1].Plain().Elements == 1 ? shifted.Inputs[0] : variance;
        variance = variance.As(Maximum) is { } bounded ? bounded.Orders().FirstOrDefault(order => order.Other.Plain().Value == 0).One ?? variance : variance;
        ImportedTensor? squared = (variance.As(Subtract)?.Inputs[0] ?? variance).Averaged()?.Squared()?.Plain();
        ImportedTensor? centred = Centred(value.Plain()), source = centred ?? value.Plain();
        return squared is not null && (squared == source || Centred(squared) == source)
            && Become(node, new Norm("", centred is null ? NormFunction.Rms : NormFunction.Layer, source.Rows, source.Columns), gain is null ? [source] : [source, gain]);
    }

    /// <summary>x of x - mean(x).</summary>
    private static ImportedTensor? Centred(ImportedTensor tensor) =>
        tensor.As(Subtract) is { } difference && difference.Inputs[1].Averaged()?.Plain() == difference.Inputs[0].Plain() ? difference.Inputs[0].Plain() : null;

    /// <summary>The gain and the shift of a normalization.</summary>
    private static bool Gain(ImportedNode node) => node.Function is Multiply or Add && node.Orders().Any(order =>
        order.One.Plain() is { Readers.Count: 1, Producer: { Operator: Norm norm } normalized } && normalized.Inputs.Length <= norm.ParameterVectors && order.Other.Plain().IsVector(norm.Columns)
        && Become(node, norm, [.. normalized.Inputs, order.Other]));

    /// <summary>x cos + rotated x sin, with tables that all heads share; half of the features change places (Su et al. 2021, arXiv 2104.09864).</summary>
    private static bool Rotation(ImportedNode node) => node.Function == Add && node.Orders().Any(order =>
        Scaled(order.One) is var (x, table) && Scaled(order.Other) is var (rotated, _) && rotated.As(Concatenate) is { Inputs: [var upper, var lower] }
        && Part(upper.As(Negate)?.Inputs[0]) == x.Plain() && Part(lower) == x.Plain()
        && Become(node, new Rope("", x.Dimensions is [var batch, var heads, var tokens, _] && heads > 0 ? checked(batch * tokens) : x.Rows, x.Dimensions is [_, var all, _, _] ? checked(all * x.Columns) : x.Columns, x.Columns), x, table));

    private static (ImportedTensor Tensor, ImportedTensor Table)? Scaled(ImportedTensor tensor) =>
        tensor.As(Multiply)?.Orders().Where(order => order.Other.Known || order.Other.Stored().Elements < order.One.Elements).Select(order => ((ImportedTensor, ImportedTensor)?)(order.One, order.Other)).FirstOrDefault();

    private static ImportedTensor? Part(ImportedTensor? tensor) => tensor?.As(Slice)?.Inputs[0].Plain();

    /// <summary>Attention that is one node already, with what it keeps.</summary>
    private static bool Cached(ImportedNode node)
    {
        if (node is { Operator: Attention attention, Kept.IsEmpty: true })
        {
            AttentionFusion.Attend(node, attention, node.Inputs[0], node.Inputs[1], node.Inputs[2]);
            return true;
        }

        return false;
    }

    /// <summary>A part of a product's columns is the product with a part of its weight.</summary>
    private static bool PartOfProduct(ImportedNode node)
    {
        if (node.Function != Slice || node.Inputs[0].Plain() is not { Producer: { Operator: MatMul { Batch: 1 } product } multiplied } whole || !multiplied.Inputs[1].Known || !whole.Readers.All(LeadsToParts))
        {
            return false;
        }

        int axis = (int)node.Numbers[0];
        ImmutableArray<long> dimensions = node.Inputs[0].Dimensions;
        long inner = dimensions.Skip(axis + 1).Aggregate(1L, (sum, extent) => checked(sum * extent));
        if (checked(inner * dimensions[axis]) != product.N)
        {
            return false;
        }

        long first = checked(node.Numbers[1] * inner), count = checked(node.Numbers[2] * inner);
        return Become(node, product with { N = count }, [multiplied.Inputs[0], .. multiplied.Inputs.Skip(1).Select(parameter => Columns(parameter, first, count))]);
    }

    private static bool LeadsToParts(ImportedNode reader) => reader.Function == Slice || (reader.Function == Reshape && reader.Output.Readers.All(next => next.Function == Slice));

    private static ImportedTensor Columns(ImportedTensor parameter, long first, long count) =>
        new(FormattableString.Invariant($"{parameter.Stored().Name}[{first}:{first + count}]"), [parameter.Elements / Math.Max(1, parameter.Columns), count], parameter.Type, TensorOrigin.Weight) { Known = true };

    private static Elementwise Unary(ElementwiseFunction function, ImportedNode node) => new("", function, node.Output.Rows, node.Output.Columns);

    private static bool Become(ImportedNode node, Operator op, params ImmutableArray<ImportedTensor> inputs)
    {
        node.Become(op, inputs);
        return true;
    }
}
