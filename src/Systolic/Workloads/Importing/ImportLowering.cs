using System.Collections.Immutable;
using Systolic.Numerics;
using Systolic.Units;
using static Systolic.Workloads.ImportedFunction;

namespace Systolic.Workloads;

/// <summary>Turns an imported computation into a workload: recognized operators as they are, everything else as passes over its elements.</summary>
/// <remarks>
/// Views cost nothing: who reads one reads what lies in memory. What follows from weights, constants and integers alone is known before the run and costs nothing. A function of one matrix, also with a number or
/// a vector as second operand, is one pass; one of two matrices reads both. Products are divided over tensor-parallel ranks as in the presets: columns of a product of rows, contraction of a product of columns.
/// </remarks>
internal sealed class ImportLowering
{
    private readonly ImportedGraph _graph;
    private readonly List<Operator> _operators = [];
    private readonly Dictionary<ImportedNode, Split> _heads = [];
    private readonly HashSet<ImportedTensor> _columns = [];
    private readonly Dictionary<ImportedTensor, int> _places = [];
    private readonly DataType? _type;

    private ImportLowering(ImportedGraph graph) => (_graph, _type) = (graph, graph.Options.Type);

    /// <summary>The workload.</summary>
    /// <param name="graph">A computation that was read to its end.</param>
    /// <param name="name">The model's name.</param>
    /// <exception cref="InvalidDocumentException">It holds nothing that costs anything, or more than can be counted.</exception>
    public static OperatorGraph Lower(ImportedGraph graph, string name)
    {
        graph.Finish();
        try
        {
            DataType Stored(ImportedTensor tensor) => graph.Options.Type ?? tensor.Type!.Value;
            ImportedTensor[] parameters = [.. graph.Sources.Where(source => source is { Origin: TensorOrigin.Weight, Type: not null, Elements: > 1 })];
            Fusions.Apply(graph);
            ImmutableArray<Operator> operators = new ImportLowering(graph).Operators();
            ImportedTensor[] inputs = [.. graph.Sources.Where(source => source.Origin == TensorOrigin.Input)];
            var workload = new OperatorGraph(name, Phase(graph, inputs), RepeatedSections.Of(operators))
            {
                Tokens = Math.Max(1, inputs.Select(input => input.Type is null ? input.Elements : input.Rows).FirstOrDefault(1)),
                Weights = new Bytes(parameters.Aggregate(0L, (sum, weight) => checked(sum + (weight.Elements * Stored(weight).ByteSize())))),
            };
            _ = (workload.Macs, workload.Memory, workload.CompulsoryBytes, operators.Aggregate(0L, (sum, op) => checked(sum + op.ElementOperations)));
            return operators.IsEmpty ? throw new InvalidDocumentException($"{graph.File}: found nothing that computes, expected at least one operator on real numbers") : workload;
        }
        catch (OverflowException overflow)
        {
            throw new InvalidDocumentException($"{graph.File}: found counts that exceed 64 bits, expected a workload that can be counted; reduce its dimensions", overflow);
        }
    }

    private static string Phase(ImportedGraph graph, ImportedTensor[] inputs) => graph.Options.Dimensions.IsEmpty
        ? string.Join(", ", inputs.Take(1).Select(input => $"{input.Name} {string.Join('x', input.Dimensions)}"))
        : string.Join(", ", graph.Options.Dimensions.Select(pair => FormattableString.Invariant($"{pair.Key} {pair.Value}")));

    private ImmutableArray<Operator> Operators()
    {
        ImportedNode[] live = [.. _graph.Nodes.Where(node => !node.Output.Known && !node.IsView && (node.Output.IsOutput || node.Output.Readers.Count > 0))];
        foreach (ImportedNode node in live)
        {
            if (node.Operator is Attention attention)
            {
                var shared = new Split(SplitAxis.Heads, attention.KvHeads) { SharedBy = attention.QueryHeads };
                DivideByHeads(node.Inputs[0], new Split(SplitAxis.Heads, attention.QueryHeads));
                DivideByHeads(node.Kept.IsEmpty ? node.Inputs[1] : node.Kept[0], shared);
                DivideByHeads(node.Kept.IsEmpty ? node.Inputs[2] : node.Kept[1], shared);
            }
        }

        foreach (ImportedNode node in live)
        {
            Lower(node);
        }

        return [.. _operators.Where(op => op.Reads.Concat(op.Writes).All(tensor => tensor.Shape.Elements > 0))];
    }

    /// <summary>What leads from a projection to attention is divided as its heads are.</summary>
    private void DivideByHeads(ImportedTensor tensor, Split split)
    {
        while (tensor.Stored().Producer is { Operator: MatMul { Batch: 1 } or Rope or Norm } node && _heads.TryAdd(node, split) && node.Operator is not MatMul)
        {
            tensor = node.Inputs[0];
        }
    }

    private void Lower(ImportedNode node)
    {
        Operator op = node.Operator ?? Pass(node);
        op = op is MatMul product && node.Inputs[1] is { Producer.Function: Transpose } right && right.Stored().Readers.Any(reader => reader.Operator is Embedding) ? product with { RightTransposed = true } : op;
        if (op is Attention attention && !node.Kept.IsEmpty)
        {
            Append(attention, node);
        }

        Split split = _heads.TryGetValue(node, out Split heads) ? heads : Division(op, node);
        if (split.Axis is SplitAxis.Heads or SplitAxis.Columns)
        {
            _columns.Add(node.Output);
        }

        _places[node.Output] = _places.Count;
        Emit(op with { Inputs = Inputs(op, node), Outputs = [node.Output.Name], Split = split }, node);
    }

    /// <summary>New keys and values go to the cache.</summary>
    private void Append(Attention attention, ImportedNode node)
    {
        long width = checked(attention.KvHeads * attention.HeadDim);
        var append = new KvAppend(node.Output.Name + ".kv_append", node.Kept[0].Elements / Math.Max(1, width), width);
        Emit(
            (attention.ValueDim == attention.HeadDim ? append : append with { ValueColumns = checked(attention.KvHeads * attention.ValueDim) }) with
            {
                Inputs = [node.Kept[0].Name, node.Kept[1].Name],
                Outputs = [new(Cached(node.Inputs[1]), TensorRole.KvCache), new(Cached(node.Inputs[2]), TensorRole.KvCache)],
                Split = new Split(SplitAxis.Heads, attention.KvHeads) { SharedBy = attention.QueryHeads },
            },
            node);
    }

    private static string Cached(ImportedTensor tensor) => tensor.Origin == TensorOrigin.Cache ? tensor.Name : tensor.Stored().Name + ".cache";

    private void Emit(Operator op, ImportedNode node)
    {
        DataType type = _type ?? node.Inputs.Prepend(node.Output).Select(tensor => tensor.Type).FirstOrDefault(found => found is not null) ?? DataType.Fp32;
        op = op with { Name = op.Name.Length > 0 ? op.Name : node.Output.Name, Type = type };
        _operators.Add(op is MatMul product ? product with { OutputType = _type ?? node.Output.Type ?? type } : op);
    }

    /// <summary>Parameters of a normalization count as one tensor. A sum names first what was there first, however it is written.</summary>
    private ImmutableArray<Operand> Inputs(Operator op, ImportedNode node) => op switch
    {
        Norm => [Name(node.Inputs[0]), new(node.Inputs.Length > 1 ? Name(node.Inputs[1]).Name : node.Output.Name + ".weight", TensorRole.Weight)],
        Attention => [.. node.Inputs.Take(3).Select(Name)],
        _ when node.Function == Add => [.. Operands(node).OrderBy(operand => _places.GetValueOrDefault(operand.Stored(), -1)).Select(Name)],
        _ => [.. Operands(node).Select(Name)],
    };

    private static Operand Name(ImportedTensor tensor)
    {
        ImportedTensor stored = tensor.Stored();
        return new(stored.Name, stored switch
        {
            { Origin: TensorOrigin.Cache } => TensorRole.KvCache,
            { Origin: TensorOrigin.Weight, Type: not null } => TensorRole.Weight,
            { Known: true } => TensorRole.Index,
            _ => TensorRole.Activation,
        });
    }

    /// <summary>One pass over the elements of what no operator names.</summary>
    private static Elementwise Pass(ImportedNode node)
    {
        ImportedTensor[] matrices = Matrices(node);
        ImportedTensor widest = matrices[0].Elements > node.Output.Elements || Appends(node) ? matrices[0] : node.Output;
        ElementwiseFunction function = matrices.Length == 2
            ? node.Function is Add or Subtract or Maximum ? ElementwiseFunction.Add : ElementwiseFunction.Multiply
            : node.Function is Unary or Exponential or Erf or Tanh or Sigmoid or SquareRoot or ReciprocalSquareRoot or Reciprocal or Raise ? ElementwiseFunction.Tanh : ElementwiseFunction.Relu;
        return new Elementwise("", function, widest.Rows, widest.Columns);
    }

    /// <summary>The operands that are as large as the result, two at most; else the largest.</summary>
    private static ImportedTensor[] Matrices(ImportedNode node)
    {
        if (Appends(node))
        {
            return [node.Inputs[^1]];
        }

        ImportedTensor[] whole = [.. node.Inputs.Where(input => input.Elements == node.Output.Elements && !input.Known).Take(node.Function == Concatenate ? 1 : 2)];
        return whole.Length > 0 ? whole : [node.Inputs.OrderBy(input => input.Known).ThenByDescending(input => input.Elements).First()];
    }

    /// <summary>What is added to a tensor from outside is written in place.</summary>
    private static bool Appends(ImportedNode node) => node.Function == Concatenate && node.Inputs[0].Stored().Origin == TensorOrigin.Input;

    private static IEnumerable<ImportedTensor> Operands(ImportedNode node) => node.Operator is null ? Matrices(node) : node.Inputs;

    private Split Division(Operator op, ImportedNode node) => op switch
    {
        MatMul { Batch: > 1 } product => new(SplitAxis.Batch, product.Batch),
        MatMul product when ByColumns(node.Inputs[0]) => new(SplitAxis.Contraction, node.Inputs[0].Stored().Producer?.Operator is Attention { QueryHeads: var heads } && product.K % heads == 0 ? heads : product.K),
        MatMul product => new(SplitAxis.Columns, product.N),
        Attention attention => new(SplitAxis.Heads, attention.QueryHeads),
        Elementwise pass when Operands(node).All(ByColumns) => new(SplitAxis.Columns, pass.Columns),
        RowOperator rows => new(SplitAxis.Rows, rows.Rows),
        _ => default,
    };

    private bool ByColumns(ImportedTensor tensor) => _columns.Contains(tensor.Stored());
}
