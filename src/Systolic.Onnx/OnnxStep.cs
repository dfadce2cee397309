using System.Collections.Immutable;
using Systolic.Numerics;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Onnx;

/// <summary>One node of a model while it is translated: its operands, attributes and results.</summary>
/// <param name="translation">The model.</param>
/// <param name="node">The node.</param>
/// <param name="index">Its place among the nodes.</param>
internal sealed class OnnxStep(OnnxTranslation translation, OnnxNode node, int index)
{
    private const long LargestInteger = 1L << 50;

    /// <summary>The node.</summary>
    public OnnxNode Node => node;

    /// <summary>The computation.</summary>
    public ImportedGraph Graph => translation.Graph;

    /// <summary>The name of its operators.</summary>
    public string Name => node.Outputs.FirstOrDefault(output => output.Length > 0) is { } output ? Unprefixed(output) : FormattableString.Invariant($"node {index}");

    /// <summary>Operands given.</summary>
    public ImmutableArray<ImportedTensor> Inputs => [.. Enumerable.Range(0, node.Inputs.Count).Select(Optional).OfType<ImportedTensor>()];

    /// <summary>An operand that may be left out.</summary>
    public ImportedTensor? Optional(int input) => input >= node.Inputs.Count || node.Inputs[input].Length == 0 ? null
        : translation.Find(node.Inputs[input]) ?? throw Problem($"found the unknown input {UnitText.Quote(node.Inputs[input])}, expected an initializer, an input or the result of an earlier node");

    /// <summary>An operand that must be given.</summary>
    public ImportedTensor Input(int input) => Optional(input) ?? throw Problem(FormattableString.Invariant($"found no input {input}, expected one"));

    /// <summary>A whole number.</summary>
    public long Number(string attribute, long fallback) => Find(attribute)?.Integer ?? fallback;

    /// <summary>A real number.</summary>
    public double? Real(string attribute) => Find(attribute)?.Float;

    /// <summary>An attribute by name.</summary>
    public OnnxAttribute? Find(string attribute) => node.Attributes.FirstOrDefault(found => found.Name == attribute);

    /// <summary>A list of whole numbers given as an input or, in older models, as an attribute; null when left out.</summary>
    public ImmutableArray<long>? Numbers(int input, string attribute) =>
        Optional(input) is { } tensor ? tensor.Integers ?? throw Problem($"found {UnitText.Quote(tensor.Name)}, whose values are computed in the run, expected integers that follow from the shapes")
        : Find(attribute) is { } list ? [.. list.Integers] : null;

    /// <summary>An axis, counted from the end when negative.</summary>
    public int Axis(long axis, int rank) => axis >= -rank && axis < rank ? (int)(axis < 0 ? axis + rank : axis)
        : throw Problem(FormattableString.Invariant($"found axis {axis}, expected one of {rank}"));

    /// <summary>The result of a function.</summary>
    public void Define(ImportedFunction function, ImmutableArray<ImportedTensor> inputs, ImmutableArray<long> dimensions, DataType? type, ImmutableArray<long>? numbers = null, ImmutableArray<long>? integers = null, double? value = null, int output = 0) =>
        Define(Graph.Append(Part(output), function, inputs, dimensions, type, numbers, integers, value), output);

    /// <summary>The result of an operator.</summary>
    public void Define(Operator op, ImmutableArray<ImportedTensor> inputs, ImmutableArray<long> dimensions) => Define(Graph.Append(Name, op, inputs, dimensions), 0);

    /// <summary>Names a result.</summary>
    public void Define(ImportedTensor tensor, int output)
    {
        if (output < node.Outputs.Count && node.Outputs[output].Length > 0)
        {
            translation.Define(node.Outputs[output], tensor);
        }
    }

    /// <summary>A constant result.</summary>
    public void DefineConstant(OnnxTensor tensor) => Define(translation.Constant(Name, tensor), 0);

    /// <summary>Every result is the first input, or nothing.</summary>
    public void PassOn()
    {
        ImportedTensor passed = Inputs.FirstOrDefault() ?? Graph.Source(Name, [], null, TensorOrigin.Weight);
        for (int output = 0; output < node.Outputs.Count; output++)
        {
            Define(ImportedFunction.Reshape, [passed], passed.Dimensions, passed.Type, output: output);
        }
    }

    /// <summary>A refusal at this node.</summary>
    public InvalidDocumentException Problem(string message) => new($"{Place}: {message}");

    /// <summary>A refusal for what a rule could not digest.</summary>
    public InvalidDocumentException Refused(Exception cause) =>
        new($"{Place}: found {string.Join(", ", Inputs.Select(input => $"{UnitText.Quote(input.Name)} {(input.Dimensions.IsEmpty ? "scalar" : string.Join('x', input.Dimensions))}"))}, expected operands that fit {UnitText.Quote(node.Operation)}", cause);

    /// <summary>A whole number near a value that may lie beyond 64 bits, such as "to the end".</summary>
    public static long Integer(double value) => double.IsNaN(value) ? 0 : (long)Math.Clamp(value, -LargestInteger, LargestInteger);

    private string Place => FormattableString.Invariant($"{Graph.File}: node {index} ({UnitText.Quote(node.Operation)} {UnitText.Quote(Name)})");

    private string Part(int output) => output == 0 ? Name : output < node.Outputs.Count && node.Outputs[output].Length > 0 ? Unprefixed(node.Outputs[output]) : FormattableString.Invariant($"{Name}.{output}");

    /// <summary>"/model/layers.0/mlp/MatMul_output_0" as its node is called.</summary>
    private static string Unprefixed(string output)
    {
        const string Suffix = "_output_0";
        return output.TrimStart('/') is { Length: > 0 } name ? name.EndsWith(Suffix, StringComparison.Ordinal) ? name[..^Suffix.Length] : name : output;
    }
}
