using System.Collections.Immutable;
using Systolic.Numerics;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Onnx;

/// <summary>Translates the nodes of a model one by one, with shapes and with the integers that shapes are computed from.</summary>
internal sealed class OnnxTranslation(OnnxGraph model, string file, ImportOptions options)
{
    private readonly Dictionary<string, ImportedTensor> _tensors = new(StringComparer.Ordinal);
    private readonly List<string> _unbound = [];

    /// <summary>The computation so far.</summary>
    public ImportedGraph Graph { get; } = new(file, options);

    /// <summary>The whole computation.</summary>
    /// <exception cref="InvalidDocumentException">A dimension is unbound, or a node cannot be understood.</exception>
    public ImportedGraph Run()
    {
        foreach (OnnxTensor initializer in model.Initializers)
        {
            _tensors[initializer.Name] = Constant(initializer.Name, initializer);
        }

        foreach (OnnxValue input in model.Inputs.Where(input => !_tensors.ContainsKey(input.Name)))
        {
            _tensors[input.Name] = Graph.Source(input.Name, Bound(input), OnnxTensor.RealType(input.ElementType), TensorOrigin.Input);
        }

        if (_unbound.Count > 0)
        {
            throw new InvalidDocumentException($"{file}: found symbolic dimensions {string.Join(", ", _unbound.Take(20).Select(UnitText.Quote))} without a value, expected one for each; give {string.Join(" ", _unbound.Take(20).Select(name => $"--dim {name}=N"))}");
        }

        for (int i = 0; i < model.Nodes.Count; i++)
        {
            Translate(new OnnxStep(this, model.Nodes[i], i));
        }

        foreach (ImportedTensor output in model.Outputs.Select(output => _tensors.GetValueOrDefault(output.Name)).OfType<ImportedTensor>())
        {
            output.IsOutput = true;
        }

        return Graph;
    }

    /// <summary>A tensor by name.</summary>
    public ImportedTensor? Find(string name) => _tensors.GetValueOrDefault(name);

    /// <summary>Gives a tensor its name.</summary>
    public void Define(string name, ImportedTensor tensor) => _tensors[name] = tensor;

    /// <summary>A constant of the model.</summary>
    public ImportedTensor Constant(string name, OnnxTensor tensor)
    {
        ImmutableArray<double> values = tensor.Values;
        DataType? type = OnnxTensor.RealType(tensor.ElementType);
        bool complete = !values.IsEmpty && values.Length == tensor.Dimensions.Aggregate(1L, (product, extent) => extent is >= 0 and <= ImportedGraph.MaximumExtent ? checked(product * extent) : -1);
        return Graph.Source(
            name, tensor.Dimensions, type, TensorOrigin.Weight,
            complete && values.All(value => value == values[0]) ? values[0] : null,
            complete && type is null ? [.. values.Select(OnnxStep.Integer)] : null,
            tensor.IsTriangle);
    }

    private void Translate(OnnxStep step)
    {
        if (!OnnxOperations.Table.TryGetValue(step.Node.Operation, out Action<OnnxStep>? translate))
        {
            Graph.Unsupported(step.Node.Operation);
            step.PassOn();
            return;
        }

        try
        {
            translate(step);
        }
        catch (Exception malformed) when (malformed is ArgumentException or IndexOutOfRangeException or InvalidOperationException or DivideByZeroException)
        {
            throw step.Refused(malformed);
        }
    }

    private ImmutableArray<long> Bound(OnnxValue input)
    {
        if (input.Dimensions is not { } dimensions)
        {
            throw new InvalidDocumentException($"{file}: input {UnitText.Quote(input.Name)}: found no shape, expected one");
        }

        return [.. dimensions.Select((dimension, i) => Bound(dimension, FormattableString.Invariant($"{input.Name}.{i}")))];
    }

    private long Bound(OnnxDimension dimension, string fallback)
    {
        if (dimension.Value is { } fixedValue)
        {
            return fixedValue;
        }

        string symbol = dimension.Symbol.Length > 0 ? dimension.Symbol : fallback;
        if (options.Dimensions.TryGetValue(symbol, out long value))
        {
            return value;
        }

        if (!_unbound.Contains(symbol))
        {
            _unbound.Add(symbol);
        }

        return 1;
    }
}
