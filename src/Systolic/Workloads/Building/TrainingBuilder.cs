using System.Collections.Immutable;

namespace Systolic.Workloads;

/// <summary>Adds loss, backward pass and optimizer step to forward sections. An encoder of pictures is not trained: only its projector is (LLaVA, arXiv 2304.08485, section 4.2).</summary>
internal static class TrainingBuilder
{
    /// <summary>Forward, loss when the head is there, backward from the last section to the first, all of it per micro-batch; sums of their gradients; optimizer.</summary>
    /// <param name="plan">The forward sections of a micro-batch, adapters among them.</param>
    /// <param name="span">Tokens of the last stack in a micro-batch.</param>
    /// <param name="options">How the step is carried out.</param>
    /// <param name="whole">Embeddings and head are there.</param>
    public static ImmutableArray<GraphSection> Build(ForwardPlan plan, TokenSpan span, TrainingOptions options, bool whole)
    {
        Func<string, bool> trained = options.Adapters is null ? name => !Stack.IsVision(name) : AdapterBuilder.IsAdapter;
        int first = plan.Sections.TakeWhile(planned => !Weights(planned).Any(weight => trained(weight.Operand.Name))).Count();
        plan = plan with { Sections = [.. plan.Sections.Take(first), .. plan.Sections.Skip(first).Select(KeepingSums)] };
        var sections = ImmutableArray.CreateBuilder<GraphSection>();
        sections.AddRange(plan.Sections.Select(planned => planned.Section));
        if (whole)
        {
            sections.Add(EdgeBuilder.Loss(Stack.Last(plan.Shape), span));
        }

        for (int i = plan.Sections.Length - 1; i >= first; i--)
        {
            PlannedSection planned = plan.Sections[i];
            sections.Add(Backward(planned, plan.Shape, options.Recompute, trained, i > first || planned.Stack is not null ? planned.Inputs : []));
        }

        var all = sections.Where(section => section.Operators.Length > 0).Select(section => section with { Repeat = checked(section.Repeat * options.MicroBatches) }).ToList();
        foreach ((string name, long parameters, long repeat) in Trained(plan, options, whole))
        {
            if (options.MicroBatches > 1)
            {
                all.Add(ForParameters($"{name} gradient sum", plan.Shape, parameters, checked(repeat * (options.MicroBatches - 1)), GradientSum));
            }

            all.Add(ForParameters($"{name} optimizer", plan.Shape, parameters, repeat, Step));
        }

        return [.. all];
    }

    /// <summary>Attention also writes what its backward pass needs of the softmax.</summary>
    private static PlannedSection KeepingSums(PlannedSection planned) => planned with
    {
        Section = planned.Section with
        {
            Operators = [.. planned.Section.Operators.Select(op => op is Attention attention ? attention with { KeepsSums = true, Outputs = attention.Outputs.Add(new Operand(attention.Outputs[0].Name + ".sums")) } : op)],
        },
    };

    private static IEnumerable<Tensor> Weights(PlannedSection planned) => planned.Section.Operators.SelectMany(op => op.Reads).Where(tensor => tensor.Operand.Role == TensorRole.Weight);

    /// <summary>Sets of trained parameters, and how many of each there are.</summary>
    private static IEnumerable<(string Name, long Parameters, long Repeat)> Trained(ForwardPlan plan, TrainingOptions options, bool whole)
    {
        foreach (PlannedSection planned in plan.Sections.Where(planned => planned.Stack?.Shape == plan.Shape))
        {
            yield return (planned.Section.Name, options.Adapters is null ? planned.LayerParameters : AdapterBuilder.Parameters(planned.Section), planned.Section.Repeat);
        }

        if (whole && options.Adapters is null)
        {
            yield return ("embedding and head", plan.Shape.TrainedParameters - plan.Shape.AllLayerParameters, 1);
        }
    }

    private static GraphSection Backward(PlannedSection planned, ModelShape shape, Recomputation recompute, Func<string, bool> trained, ImmutableArray<string> inputs)
    {
        string? running = inputs.Contains(Stack.Source) ? Stack.Source : null;
        ImmutableArray<Operator> gradients = GradientBuilder.Build(planned.Section, shape.Type, planned.Output, inputs, trained, running);
        ImmutableArray<Operator> again = planned.Stack is null || gradients.IsEmpty ? [] : Again(planned, recompute);
        return new GraphSection(planned.Section.Name + " backward", planned.Section.Repeat, again.AddRange(gradients)) { Pass = ModelPass.Backward };
    }

    /// <summary>The forward pass, or the part of it that is not kept, once more; its result is not the stream, whose name still means the layer's input here.</summary>
    private static ImmutableArray<Operator> Again(PlannedSection planned, Recomputation recompute) =>
    [
        .. planned.Section.Operators.Where(op => recompute == Recomputation.Layers || (recompute == Recomputation.Attention && op is Attention)).Select(op => op with
        {
            Name = op.Name + ".recompute",
            Outputs = [.. op.Outputs.Select(output => output.Name == planned.Output ? output with { Name = output.Name + ".recomputed" } : output)],
        }),
    ];

    /// <summary>An operator over parameters laid out as rows of the hidden size, and one over what is left over.</summary>
    private static GraphSection ForParameters(string name, ModelShape shape, long parameters, long repeat, Func<string, long, long, Operator> create)
    {
        var operators = new OperatorList(shape.Type);
        (long rows, long rest) = Math.DivRem(parameters, shape.Hidden);
        foreach ((string part, long count, long columns) in new[] { (name, rows, shape.Hidden), (name + " remainder", 1, rest) })
        {
            if (count > 0 && columns > 0)
            {
                operators.Append(create(part, count, columns));
            }
        }

        return new GraphSection(name, repeat, operators.Operators) { Pass = ModelPass.Optimizer };
    }

    private static AdamW Step(string name, long rows, long columns)
    {
        return new AdamW(name, rows, columns)
        {
            Inputs = [new($"{name}/gradient", TensorRole.WeightGradient), State("master"), State("first_moment"), State("second_moment")],
            Outputs = [new($"{name}/parameters", TensorRole.Weight), State("master"), State("first_moment"), State("second_moment")],
            Split = Splits.Rows(rows),
        };

        Operand State(string part) => new($"{name}/{part}", TensorRole.OptimizerState);
    }

    /// <summary>The gradients of a micro-batch are added to those before it.</summary>
    private static Elementwise GradientSum(string name, long rows, long columns)
    {
        var sum = new Operand($"{name}/gradient", TensorRole.WeightGradient);
        return new Elementwise(name, ElementwiseFunction.Add, rows, columns)
        {
            Inputs = [sum, new Operand($"{name}/addend", TensorRole.WeightGradient)],
            Outputs = [sum],
            Split = Splits.Rows(rows),
        };
    }
}
