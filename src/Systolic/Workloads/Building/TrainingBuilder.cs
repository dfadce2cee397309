using System.Collections.Immutable;

namespace Systolic.Workloads;

/// <summary>Adds loss, backward pass and optimizer step to forward sections.</summary>
internal static class TrainingBuilder
{
    /// <summary>Forward, loss when the head is there, backward from the last section to the first, optimizer.</summary>
    /// <param name="plan">The forward sections.</param>
    /// <param name="span">Tokens of the last stack.</param>
    /// <param name="recompute">Run each layer forward again before its backward pass.</param>
    /// <param name="whole">Embeddings and head are there.</param>
    public static ImmutableArray<GraphSection> Build(ForwardPlan plan, TokenSpan span, bool recompute, bool whole)
    {
        var sections = ImmutableArray.CreateBuilder<GraphSection>();
        sections.AddRange(plan.Sections.Select(planned => planned.Section));
        if (whole)
        {
            sections.Add(EdgeBuilder.Loss(Stack.Last(plan.Shape), span));
        }

        sections.AddRange(plan.Sections.Reverse().Select(planned => Backward(planned, plan.Shape, recompute)));
        foreach (PlannedSection planned in plan.Sections)
        {
            if (planned.Stack is { } stack)
            {
                sections.Add(Optimizer(stack.Prefix + "layer optimizer", plan.Shape, stack.LayerParameters, planned.Section.Repeat));
            }
        }

        if (whole)
        {
            sections.Add(Optimizer("embedding and head optimizer", plan.Shape, plan.Shape.TrainedParameters - plan.Shape.AllLayerParameters, 1));
        }

        return sections.ToImmutable();
    }

    private static GraphSection Backward(PlannedSection planned, ModelShape shape, bool recompute)
    {
        string? running = planned.Inputs.Contains(Stack.Source) ? Stack.Source : null;
        ImmutableArray<Operator> gradients = GradientBuilder.Build(planned.Section, shape.Type, planned.Output, planned.Inputs, running);
        ImmutableArray<Operator> again = recompute && planned.Stack is not null ? Again(planned) : [];
        return new GraphSection(planned.Section.Name + " backward", planned.Section.Repeat, again.AddRange(gradients)) { Pass = ModelPass.Backward };
    }

    /// <summary>The forward pass once more; its result is not the stream, whose name still means the layer's input here.</summary>
    private static ImmutableArray<Operator> Again(PlannedSection planned) =>
    [
        .. planned.Section.Operators.Select(op => op with
        {
            Name = op.Name + ".recompute",
            Outputs = [.. op.Outputs.Select(output => output.Name == planned.Output ? output with { Name = output.Name + ".recomputed" } : output)],
        }),
    ];

    /// <summary>AdamW over parameters laid out as rows of the hidden size, with a row of what is left over.</summary>
    private static GraphSection Optimizer(string name, ModelShape shape, long parameters, long repeat)
    {
        var operators = new OperatorList(shape.Type);
        (long rows, long rest) = Math.DivRem(parameters, shape.Hidden);
        Step(name, rows, shape.Hidden);
        Step(name + " remainder", 1, rest);
        return new GraphSection(name, repeat, operators.Operators) { Pass = ModelPass.Optimizer };

        void Step(string step, long count, long columns)
        {
            if (count == 0 || columns == 0)
            {
                return;
            }

            operators.Append(new AdamW(step, count, columns)
            {
                Inputs = [new($"{step}/gradient", TensorRole.WeightGradient), State("master"), State("first_moment"), State("second_moment")],
                Outputs = [new($"{step}/parameters", TensorRole.Weight), State("master"), State("first_moment"), State("second_moment")],
                Split = Splits.Rows(count),
            });

            Operand State(string part) => new($"{step}/{part}", TensorRole.OptimizerState);
        }
    }
}
