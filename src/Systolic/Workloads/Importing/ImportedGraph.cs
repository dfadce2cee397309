using System.Collections.Immutable;
using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Workloads;

/// <summary>A computation read from a file of another tool: nodes in an order in which they can run.</summary>
/// <param name="file">The file's name, for messages.</param>
/// <param name="options">How it is imported.</param>
internal sealed class ImportedGraph(string file, ImportOptions options)
{
    /// <summary>The largest extent of a tensor: far above any real one.</summary>
    public const long MaximumExtent = 1L << 40;

    private readonly SortedDictionary<string, int> _unsupported = new(StringComparer.Ordinal);

    /// <summary>The file's name.</summary>
    public string File => file;

    /// <summary>How it is imported.</summary>
    public ImportOptions Options => options;

    /// <summary>Nodes in order.</summary>
    public List<ImportedNode> Nodes { get; } = [];

    /// <summary>Tensors that enter from outside, and weights.</summary>
    public List<ImportedTensor> Sources { get; } = [];

    /// <summary>A tensor that no node computes.</summary>
    public ImportedTensor Source(string name, ImmutableArray<long> dimensions, DataType? type, TensorOrigin origin, double? value = null, ImmutableArray<long>? integers = null, bool causal = false)
    {
        var tensor = new ImportedTensor(name, Checked(name, dimensions), type, origin) { Value = value, Integers = integers, Causal = causal, Known = type is null || origin == TensorOrigin.Weight };
        Sources.Add(tensor);
        return tensor;
    }

    /// <summary>Appends a node.</summary>
    public ImportedTensor Append(string name, ImportedFunction function, ImmutableArray<ImportedTensor> inputs, ImmutableArray<long> dimensions, DataType? type, ImmutableArray<long>? numbers = null, ImmutableArray<long>? integers = null, double? value = null) =>
        Append(name, function, null, inputs, dimensions, type, numbers, integers, value);

    /// <summary>Appends a node that is an operator already.</summary>
    public ImportedTensor Append(string name, Operator op, ImmutableArray<ImportedTensor> inputs, ImmutableArray<long> dimensions) =>
        Append(name, ImportedFunction.Operator, op, inputs, dimensions, inputs.Select(input => input.Type).FirstOrDefault(type => type is not null), null, null, null);

    /// <summary>Appends matrix products over the last two extents, extents before them batched; a weight without a batch takes all rows at once.</summary>
    public ImportedTensor Product(string name, ImportedTensor left, ImportedTensor right, ImmutableArray<long> dimensions, long k)
    {
        long n = right.Dimensions.Length == 1 ? 1 : dimensions[^1], m = right.Dimensions.Length <= 2 || left.Dimensions.Length == 1 ? Elements(dimensions) / Math.Max(1, n) : dimensions[^2];
        return Append(name, new MatMul("", m, k, n, Elements(dimensions) / Math.Max(1, checked(m * n))), [left, right], dimensions);
    }

    /// <summary>Counts a node that is not built; it passes its first input on.</summary>
    public void Unsupported(string operation) => _unsupported[operation] = _unsupported.GetValueOrDefault(operation) + 1;

    /// <summary>Throws when something is not built and may not be skipped.</summary>
    /// <exception cref="InvalidDocumentException">Lists what is not built, by name and count.</exception>
    public void Finish()
    {
        if (_unsupported.Count > 0 && !options.SkipUnsupported)
        {
            string found = string.Join(", ", _unsupported.Take(20).Select(pair => FormattableString.Invariant($"{pair.Value} x {UnitText.Quote(pair.Key)}")));
            throw new InvalidDocumentException($"{file}: found operators that are not built: {found}{(_unsupported.Count > 20 ? "..." : "")}, expected those of a transformer; give --skip-unsupported to run without them");
        }
    }

    private static long Elements(ImmutableArray<long> dimensions) => dimensions.Aggregate(1L, (product, extent) => checked(product * extent));

    private ImportedTensor Append(string name, ImportedFunction function, Operator? op, ImmutableArray<ImportedTensor> inputs, ImmutableArray<long> dimensions, DataType? type, ImmutableArray<long>? numbers, ImmutableArray<long>? integers, double? value)
    {
        var output = new ImportedTensor(name, Checked(name, dimensions), type, TensorOrigin.Computed)
        {
            Integers = integers,
            Value = value,
            Ordinal = function == ImportedFunction.Ordinals || (function is not (ImportedFunction.Compare or ImportedFunction.Operator) && inputs.Any(input => input.Ordinal)),
            Causal = function == ImportedFunction.Triangle || (function == ImportedFunction.Compare && inputs.Count(input => input.Ordinal) >= 2) || (op is null && inputs.Any(input => input.Causal)),
            Known = type is null || (op is not Embedding && inputs.All(input => input.Known)),
        };
        var node = new ImportedNode(function, inputs, output) { Operator = op, Numbers = numbers ?? [] };
        output.Producer = node;
        foreach (ImportedTensor input in inputs)
        {
            input.Readers.Add(node);
        }

        Nodes.Add(node);
        return output;
    }

    private ImmutableArray<long> Checked(string name, ImmutableArray<long> dimensions)
    {
        const int MaximumRank = 16;
        return dimensions.Length <= MaximumRank && dimensions.All(extent => extent is >= 0 and <= MaximumExtent)
            ? dimensions
            : throw new InvalidDocumentException($"{file}: {UnitText.Quote(name)}: found the shape {UnitText.Quote(string.Join('x', dimensions))}, expected at most {MaximumRank} extents from 0 to {MaximumExtent}");
    }
}
