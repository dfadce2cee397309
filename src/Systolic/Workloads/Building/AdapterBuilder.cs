namespace Systolic.Workloads;

/// <summary>Adds low-rank adapters to the products of a section: y = x W + (x A) B; the scale is folded into B.</summary>
/// <param name="adapters">Rank and targets.</param>
internal sealed class AdapterBuilder(LowRankAdapters adapters)
{
    private const string Mark = ".lora_";

    /// <summary>A weight belongs to an adapter.</summary>
    public static bool IsAdapter(string weight) => weight.Contains(Mark, StringComparison.Ordinal);

    /// <summary>Parameters of the adapters in one pass of a section.</summary>
    public static long Parameters(GraphSection section) =>
        section.Operators.SelectMany(op => op.Reads).Where(tensor => tensor.Operand.Role == TensorRole.Weight && IsAdapter(tensor.Operand.Name)).Sum(tensor => tensor.Shape.Elements);

    /// <summary>The plan with adapters in its layers, those of pictures excepted.</summary>
    /// <exception cref="ArgumentException">A target names no product of a layer.</exception>
    public ForwardPlan Apply(ForwardPlan plan)
    {
        string[] products = [.. plan.Sections.Where(HasAdapters).SelectMany(planned => planned.Section.Operators).OfType<MatMul>().Select(Target).Distinct(StringComparer.Ordinal)];
        string[] unknown = [.. adapters.Targets.Except(products, StringComparer.Ordinal)];
        return unknown.Length == 0 && !adapters.Targets.IsEmpty && adapters.Rank >= 1
            ? plan with { Sections = [.. plan.Sections.Select(planned => HasAdapters(planned) ? Apply(planned, plan.Shape) : planned)] }
            : throw new ArgumentException(FormattableString.Invariant(
                $"{plan.Shape.Name}: found adapters of rank {adapters.Rank} on {(unknown.Length > 0 ? string.Join(", ", unknown) : "no product")}, expected a rank of at least 1 and some of: {string.Join(", ", products)}."));
    }

    private static bool HasAdapters(PlannedSection planned) => planned.Stack is { } stack && !Stack.IsVision(stack.Prefix);

    private static string Target(MatMul product) => product.Name.Split('/')[^1];

    private PlannedSection Apply(PlannedSection planned, ModelShape shape)
    {
        var operators = new OperatorList(shape.Type);
        foreach (Operator op in planned.Section.Operators)
        {
            if (op is MatMul product && adapters.Targets.Contains(Target(product)))
            {
                Adapt(operators, product);
            }
            else
            {
                operators.Append(op);
            }
        }

        return planned with { Section = planned.Section with { Operators = operators.Operators } };
    }

    /// <summary>A divided as its product where that divides the contraction, else whole on every rank; B as the product's output lies.</summary>
    private void Adapt(OperatorList operators, MatMul product)
    {
        string output = product.Outputs[0].Name, frozen = output + ".frozen";
        bool contracts = product.Split.Axis == SplitAxis.Contraction;
        Split outward = contracts ? Splits.Rows(product.M) : product.Split;
        operators.Append(product with { Outputs = [frozen] });
        string inner = operators.Project(product with { Name = product.Name + Mark + "a", N = adapters.Rank, Bias = false, Split = contracts ? product.Split : default }, product.Inputs[0]);
        string added = operators.Project(product with { Name = product.Name + Mark + "b", K = adapters.Rank, Bias = false, Split = outward }, inner);
        operators.Apply(new Elementwise(product.Name + Mark + "sum", ElementwiseFunction.Add, checked(product.M * product.Batch), product.N), outward, [frozen, added], output);
    }
}
