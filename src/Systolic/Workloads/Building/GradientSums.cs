namespace Systolic.Workloads;

/// <summary>Gradients that arrive at each tensor, and the sums of those that arrive at one.</summary>
/// <param name="forward">The section that is differentiated.</param>
/// <param name="operators">Where the sums go.</param>
internal sealed class GradientSums(GraphSection forward, OperatorList operators)
{
    private readonly Dictionary<string, List<(string Name, Split Split)>> _arrived = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _readers = CountReaders(forward);
    private readonly Dictionary<string, Tensor> _tensors = Tensors(forward);

    /// <summary>What the gradient of a tensor is called.</summary>
    public static string NameOf(string tensor) => tensor + ".grad";

    /// <summary>A gradient of <paramref name="tensor"/> that exists already, divided as its operator is.</summary>
    public void Add(string tensor, string gradient, Split split)
    {
        if (!_arrived.TryGetValue(tensor, out List<(string, Split)>? list))
        {
            _arrived.Add(tensor, list = []);
        }

        list.Add((gradient, split));
    }

    /// <summary>The name under which <paramref name="op"/> must write its gradient of <paramref name="tensor"/>.</summary>
    /// <param name="tensor">The forward tensor.</param>
    /// <param name="op">The forward operator that read it.</param>
    /// <param name="split">How the gradient's operator is divided.</param>
    public string Claim(string tensor, string op, Split split)
    {
        string name = _readers[tensor] == 1 ? NameOf(tensor) : $"{op}.dx";
        Add(tensor, name, split);
        return name;
    }

    /// <summary>The gradient of <paramref name="tensor"/>, summed when several arrived; null when none did.</summary>
    /// <remarks>Partial sums are added first and stay on their ranks, so that one reduction serves them all.</remarks>
    public string? Take(string tensor)
    {
        if (!_arrived.Remove(tensor, out List<(string Name, Split Split)>? list))
        {
            return null;
        }

        List<(string Name, Split Split)> terms = [.. list.OrderBy(term => term.Split.Axis == SplitAxis.Contraction ? 0 : 1)];
        (string sum, Split split) = terms[0];
        for (int i = 1; i < terms.Count; i++)
        {
            string output = i == terms.Count - 1 ? NameOf(tensor) : FormattableString.Invariant($"{NameOf(tensor)}.{i}");
            (sum, split) = AddUp(tensor, (sum, split), terms[i], output);
        }

        return sum;
    }

    /// <summary>The sum of two gradients that are divided alike stays divided so; of others, it is divided by rows.</summary>
    private (string Name, Split Split) AddUp(string tensor, (string Name, Split Split) left, (string Name, Split Split) right, string output)
    {
        (long rows, long columns, long batch) = _tensors[tensor].Shape;
        rows = checked(rows * batch);
        bool alike = left.Split.Axis == right.Split.Axis && left.Split.Axis != SplitAxis.Rows;
        Split split = alike ? left.Split : Splits.Rows(rows);
        operators.Apply(
            new Elementwise(output, ElementwiseFunction.Add, rows, columns),
            split.Axis == SplitAxis.Contraction ? default : split,
            [left.Name, right.Name],
            output);
        return (output, split);
    }

    private static Dictionary<string, int> CountReaders(GraphSection forward) => forward.Operators
        .SelectMany(op => op.Inputs.Where(input => input.Role == TensorRole.Activation))
        .GroupBy(input => input.Name, StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);

    private static Dictionary<string, Tensor> Tensors(GraphSection forward)
    {
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (Tensor tensor in forward.Operators.SelectMany(op => op.Reads))
        {
            tensors.TryAdd(tensor.Operand.Name, tensor);
        }

        return tensors;
    }
}
