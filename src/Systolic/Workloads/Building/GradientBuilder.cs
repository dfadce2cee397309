using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>The backward operators of a section, from the last forward operator to the first.</summary>
/// <remarks>
/// Per product Y = XW: dX = dY Wt and dW = Xt dY. Per sum: nothing, both terms share the gradient of the sum. A tensor read several times
/// gets the sum of the gradients. Column sums for the gradients of biases are not modelled: M x N additions beside 2 M x K x N products.
/// Forward activations are read under their own names: they were kept, or computed again.
/// </remarks>
internal sealed class GradientBuilder
{
    private readonly OperatorList _operators;
    private readonly GradientSums _sums;
    private readonly Func<string, bool> _trained;

    private GradientBuilder(GraphSection forward, DataType type, Func<string, bool> trained)
    {
        (_operators, _trained) = (new OperatorList(type), trained);
        _sums = new GradientSums(forward, _operators);
    }

    /// <summary>The backward operators; the gradient of a tensor x is called "x.grad".</summary>
    /// <param name="forward">The section to differentiate.</param>
    /// <param name="type">Element type.</param>
    /// <param name="output">The tensor whose gradient is known.</param>
    /// <param name="inputs">Section inputs whose gradients are wanted.</param>
    /// <param name="trained">Weights whose gradients are wanted, by name.</param>
    /// <param name="running">The input that collects gradients from several sections, if any.</param>
    public static ImmutableArray<Operator> Build(GraphSection forward, DataType type, string output, ImmutableArray<string> inputs, Func<string, bool> trained, string? running = null)
    {
        var builder = new GradientBuilder(forward, type, trained);
        builder._sums.Add(output, GradientSums.NameOf(output), new Split(SplitAxis.Rows, 1));
        foreach (Operator op in forward.Operators.Reverse())
        {
            if (builder._sums.Take(op.Outputs[0].Name) is { } gradient)
            {
                builder.Differentiate(op, gradient);
            }
        }

        foreach (string input in inputs)
        {
            if (input == running)
            {
                builder._sums.Add(input, GradientSums.NameOf(input), new Split(SplitAxis.Rows, 1));
            }

            _ = builder._sums.Take(input);
        }

        return Wanted(builder._operators.Operators, inputs);
    }

    /// <summary>Drops what leads to no gradient of a trained weight or of an input of the section.</summary>
    private static ImmutableArray<Operator> Wanted(ImmutableArray<Operator> operators, ImmutableArray<string> inputs)
    {
        var wanted = new HashSet<string>(inputs.Select(GradientSums.NameOf), StringComparer.Ordinal);
        var kept = new System.Collections.Generic.Stack<Operator>();
        foreach (Operator op in operators.Reverse())
        {
            if (op.Outputs.Any(output => output.Role == TensorRole.WeightGradient || wanted.Contains(output.Name)))
            {
                wanted.UnionWith(op.Inputs.Select(input => input.Name));
                kept.Push(op);
            }
        }

        return [.. kept];
    }

    private void Differentiate(Operator op, string gradient)
    {
        switch (op)
        {
            case MatMul product:
                DifferentiateProduct(product, gradient);
                break;
            case Attention attention:
                Emit(attention with { Backward = true, KeepsSums = false }, [.. attention.Inputs, attention.Outputs[0], gradient, attention.Outputs[1]], attention.Inputs);
                break;
            case Norm norm:
                Emit(norm with { Backward = true }, [gradient, .. norm.Inputs], norm.Inputs);
                break;
            case Elementwise { Function: ElementwiseFunction.Add } sum:
                _sums.Add(sum.Inputs[0].Name, gradient, sum.Split);
                _sums.Add(sum.Inputs[1].Name, gradient, sum.Split);
                break;
            case Elementwise function:
                Emit(function with { Backward = true }, [gradient, .. function.Inputs], function.Inputs);
                break;
            case Rope rope:
                Emit(rope with { Backward = !rope.Backward }, [gradient, rope.Inputs[1]], [rope.Inputs[0]]);
                break;
            case Embedding gather:
                Emit(gather with { Backward = true }, [gradient, WeightGradient(gather.Inputs[0]), gather.Inputs[1]], [gather.Inputs[0]]);
                break;
            case MoeRouting routing:
                Emit(routing with { Backward = true }, [gradient, routing.Inputs[0], routing.Outputs[1]], routing.Inputs);
                break;
            case MoePermute { Combine: true } combine:
                Emit(combine with { Backward = true }, [gradient, combine.Inputs[1], combine.Inputs[2], combine.Inputs[0]], [combine.Inputs[0], combine.Inputs[2]]);
                break;
            case MoePermute dispatch:
                Emit(dispatch with { Backward = true }, [gradient, dispatch.Inputs[1]], [dispatch.Inputs[0]]);
                break;
            default:
                throw new InvalidOperationException($"{op.Name}: no backward pass of {op.Kind} is known.");
        }
    }

    /// <summary>dX keeps the weight as it lies, read across; dW has the layout of the weight.</summary>
    private void DifferentiateProduct(MatMul product, string gradient)
    {
        Operand input = product.Inputs[0];
        Operand weight = product.Inputs[1];
        bool transposed = product.RightTransposed;
        Split split = product.Split with { Axis = InputGradientAxis(product.Split.Axis) };
        if (input.Role == TensorRole.Activation)
        {
            _operators.Append(product with
            {
                Name = product.Name + ".dx",
                K = product.N,
                N = product.K,
                RightTransposed = !transposed,
                Bias = false,
                Inputs = [gradient, weight],
                Outputs = [_sums.Claim(input.Name, product.Name, split)],
                Split = split,
            });
        }

        _operators.Append(product with
        {
            Name = product.Name + ".dw",
            M = transposed ? product.N : product.K,
            K = product.M,
            N = transposed ? product.K : product.N,
            LeftTransposed = true,
            RightTransposed = false,
            Bias = false,
            Inputs = transposed ? [gradient, input] : [input, gradient],
            Outputs = [WeightGradient(weight)],
            Split = product.Split with { Axis = WeightGradientAxis(product.Split.Axis, transposed) },
        });
    }

    private void Emit(Operator backward, ImmutableArray<Operand> reads, ImmutableArray<Operand> differentiated) => _operators.Append(backward with
    {
        Name = backward.Name + ".backward",
        Inputs = reads,
        Outputs = [.. differentiated.Select(operand => operand.Role == TensorRole.Weight ? WeightGradient(operand) : new Operand(_sums.Claim(operand.Name, backward.Name, backward.Split)))],
    });

    private Operand WeightGradient(Operand weight) => new(GradientSums.NameOf(weight.Name), _trained(weight.Name) ? TensorRole.WeightGradient : TensorRole.Activation);

    /// <summary>Dividing the output's features divides the sum over them in dX.</summary>
    private static SplitAxis InputGradientAxis(SplitAxis forward) => forward switch
    {
        SplitAxis.Columns or SplitAxis.Heads => SplitAxis.Contraction,
        SplitAxis.Contraction => SplitAxis.Columns,
        _ => forward,
    };

    /// <summary>The axis of dW that the forward division falls on; dividing tokens divides the sum over them.</summary>
    private static SplitAxis WeightGradientAxis(SplitAxis forward, bool transposed) => forward switch
    {
        SplitAxis.Columns or SplitAxis.Heads => transposed ? SplitAxis.Rows : SplitAxis.Columns,
        SplitAxis.Contraction => transposed ? SplitAxis.Columns : SplitAxis.Rows,
        SplitAxis.Rows => SplitAxis.Contraction,
        _ => forward,
    };
}
