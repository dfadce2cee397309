using System.Collections.Immutable;

namespace Systolic.Workloads;

/// <summary>A pass over the model.</summary>
public enum ModelPass
{
    /// <summary>From the input to the output or the loss.</summary>
    Forward,

    /// <summary>Gradients, from the loss to the input.</summary>
    Backward,

    /// <summary>The step of the optimizer, once for all micro-batches.</summary>
    Optimizer,
}

/// <summary>Operators in execution order that run <paramref name="Repeat"/> times in a row, such as the layers of a model.</summary>
/// <param name="Name">The section's name, such as "layer".</param>
/// <param name="Repeat">Times the operators run, one pass after the other.</param>
/// <param name="Operators">Operators of one pass.</param>
public sealed record GraphSection(string Name, long Repeat, ImmutableArray<Operator> Operators)
{
    /// <summary>The pass over the model that it belongs to.</summary>
    public ModelPass Pass { get; init; }

    /// <summary>Activations that are read before an operator of the section writes them: they come from an earlier section, from the previous repeat, or from outside.</summary>
    /// <remarks>A section may write a tensor of the same name last, such as "hidden": that is the next repeat's input.</remarks>
    public ImmutableArray<Tensor> Inputs
    {
        get
        {
            var known = new HashSet<string>(StringComparer.Ordinal);
            var inputs = ImmutableArray.CreateBuilder<Tensor>();
            foreach (Operator op in Operators)
            {
                inputs.AddRange(op.Reads.Where(tensor => tensor.Operand.Role == TensorRole.Activation && known.Add(tensor.Operand.Name)));
                known.UnionWith(op.Writes.Select(tensor => tensor.Operand.Name));
            }

            return inputs.ToImmutable();
        }
    }

    /// <summary>An operator's name in reports: the section's and the operator's, the part they share said once ("layer backward/attn/q_proj.dw").</summary>
    public static string Qualify(string section, string op)
    {
        ArgumentNullException.ThrowIfNull(section);
        ArgumentNullException.ThrowIfNull(op);
        string shared = section.Split(' ')[0] + "/";
        return $"{section}/{(op.StartsWith(shared, StringComparison.Ordinal) ? op[shared.Length..] : op)}";
    }
}
