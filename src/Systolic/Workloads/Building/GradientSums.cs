namespace Systolic.Workloads;

/// <summary>Gradients that arrive at each tensor, and the sums of those that arrive at one.</summary>
/// <param name="forward">The section that is differentiated.</param>
/// <param name="operators">Where the sums go.</param>
internal sealed class GradientSums(GraphSection forward, OperatorList operators)
{
    private readonly Dictionary<string, List<(string Name, bool Partial)>> _arrived = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _readers = CountReaders(forward);
    private readonly Dictionary<string, Tensor> _tensors = Tensors(forward);

    /// <summary>What the gradient of a tensor is called.</summary>
    public static string NameOf(string tensor) => tensor + ".grad";

    /// <summary>A gradient of <paramref name="tensor"/> that exists already.</summary>
    public void Add(string tensor, string gradient, bool partial = false)
    {
        if (!_arrived.TryGetValue(tensor, out List<(string, bool)>? list))
        {
            _arrived.Add(tensor, list = []);
        }

        list.Add((gradient, partial));
    }

    /// <summary>The name under which <paramref name="op"/> must write its gradient of <paramref name="tensor"/>.</summary>
    /// <param name="tensor">The forward tensor.</param>
    /// <param name="op">The forward operator that read it.</param>
    /// <param name="partial">Ranks will hold partial sums of this gradient.</param>
    public string Claim(string tensor, string op, bool partial)
    {
        string name = _readers[tensor] == 1 ? NameOf(tensor) : $"{op}.dx";
        Add(tensor, name, partial);
        return name;
    }

    /// <summary>The gradient of <paramref name="tensor"/>, summed when several arrived; null when none did.</summary>
    /// <remarks>Partial sums are added first and stay on their ranks, so that one reduction serves them all.</remarks>
    public string? Take(string tensor)
    {
        if (!_arrived.Remove(tensor, out List<(string Name, bool Partial)>? list))
        {
            return null;
        }

        List<(string Name, bool Partial)> terms = [.. list.OrderBy(term => term.Partial ? 0 : 1)];
        (string sum, bool partial) = terms[0];
        for (int i = 1; i < terms.Count; i++)
        {
            partial &= terms[i].Partial;
            string output = i == terms.Count - 1 ? NameOf(tensor) : FormattableString.Invariant($"{NameOf(tensor)}.{i}");
            sum = AddUp(tensor, sum, terms[i].Name, output, partial);
        }

        return sum;
    }

    private string AddUp(string tensor, string left, string right, string output, bool partial)
    {
        (long rows, long columns, long batch) = _tensors[tensor].Shape;
        rows = checked(rows * batch);
        return operators.Apply(
            new Elementwise(output, ElementwiseFunction.Add, rows, columns),
            partial ? default : Splits.Rows(rows),
            [left, right],
            output);
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
