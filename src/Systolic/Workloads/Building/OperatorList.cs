using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>Operators of a section in the making; each method appends one and returns the name of the tensor it writes.</summary>
/// <remarks>An operator and its main output share one name; a weight is named after its operator.</remarks>
/// <param name="type">Element type of every tensor.</param>
internal sealed class OperatorList(DataType type)
{
    private readonly ImmutableArray<Operator>.Builder _operators = ImmutableArray.CreateBuilder<Operator>();

    /// <summary>Those appended so far.</summary>
    public ImmutableArray<Operator> Operators => _operators.ToImmutable();

    /// <summary>Appends an operator that is wired already, in the section's type.</summary>
    public string Append(Operator op)
    {
        Operator typed = op is MatMul product ? product with { Type = type, OutputType = type } : op with { Type = type };
        _operators.Add(typed);
        return typed.Outputs[0].Name;
    }

    /// <summary>A product with a weight matrix, its own or that of another operator.</summary>
    public string Project(MatMul product, Operand input, string? weightName = null, string? output = null)
    {
        Operand weight = new((weightName ?? product.Name) + ".weight", TensorRole.Weight);
        Operand bias = new(product.Name + ".bias", TensorRole.Weight);
        return Append(product with { Inputs = product.Bias ? [input, weight, bias] : [input, weight], Outputs = [output ?? product.Name] });
    }

    /// <summary>A normalization with parameters of its own, divided by rows unless told.</summary>
    public string Normalize(string name, NormFunction function, long rows, long columns, string input, string? output = null, Split? split = null) => Append(new Norm(name, function, rows, columns)
    {
        Inputs = [input, new Operand(name + ".weight", TensorRole.Weight)],
        Outputs = [output ?? name],
        Split = split ?? Splits.Rows(rows),
    });

    /// <summary>Rotary positions.</summary>
    public string Rotate(string name, long rows, long columns, long headDim, string input, Split split) => Append(new Rope(name, rows, columns, headDim)
    {
        Inputs = [input, new Operand("rope_table", TensorRole.Index)],
        Outputs = [name],
        Split = split,
    });

    /// <summary>An elementwise function of activations.</summary>
    public string Apply(Elementwise function, Split split, string[] inputs, string? output = null) => Append(function with
    {
        Inputs = [.. inputs.Select(input => new Operand(input))],
        Outputs = [output ?? function.Name],
        Split = split,
    });

    /// <summary>The sum of two activations, divided by rows.</summary>
    public string Sum(string name, long rows, long columns, string left, string right, string? output = null) =>
        Apply(new Elementwise(name, ElementwiseFunction.Add, rows, columns), Splits.Rows(rows), [left, right], output);

    /// <summary>Rows of a table; <paramref name="indices"/> names them.</summary>
    public string Gather(string name, long rows, long columns, long tableRows, Operand table, string indices, string? output = null) => Append(new Embedding(name, rows, columns, tableRows)
    {
        Inputs = [table, new Operand(indices, TensorRole.Index)],
        Outputs = [output ?? name],
        Split = Splits.Rows(rows),
    });
}
