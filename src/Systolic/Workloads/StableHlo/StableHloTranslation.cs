using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using Systolic.Units;
using static Systolic.Workloads.ImportedFunction;

namespace Systolic.Workloads;

/// <summary>Translates the statements of a module one by one; calls are replaced by what they call.</summary>
internal sealed class StableHloTranslation(StableHloModule module, string file, ImportOptions options)
{
    private const int DeepestCall = 16;
    private const int MostNodes = 200_000;

    private static readonly FrozenDictionary<string, ImportedFunction> Functions = new (ImportedFunction Function, string Names)[]
    {
        (Add, "add"), (Subtract, "subtract"), (Multiply, "multiply"), (Divide, "divide"), (Raise, "power"), (Maximum, "maximum"), (Negate, "negate"), (Exponential, "exponential"), (Tanh, "tanh"), (Sigmoid, "logistic"),
        (SquareRoot, "sqrt"), (ReciprocalSquareRoot, "rsqrt"), (Compare, "compare"), (Select, "select"), (Ordinals, "iota"), (Binary, "minimum and or xor remainder atan2"), (Reshape, "convert reshape bitcast_convert optimization_barrier custom_call"),
        (Transpose, "transpose"), (Broadcast, "broadcast_in_dim broadcast"), (Unary, "abs log cosine sine floor ceil sign not cbrt is_finite exponential_minus_one log_plus_one round_nearest_even round_nearest_afz reduce_precision clamp pad reverse tan"),
        (Slice, "slice dynamic_slice"), (Concatenate, "concatenate"),
    }.SelectMany(entry => entry.Names.Split(' ').Select(name => KeyValuePair.Create("stablehlo." + name, entry.Function))).Append(KeyValuePair.Create("chlo.erf", Erf)).ToFrozenDictionary(StringComparer.Ordinal);

    private readonly ImportedGraph _graph = new(file, options);

    /// <summary>The whole computation.</summary>
    /// <exception cref="InvalidDocumentException">A statement cannot be understood.</exception>
    public ImportedGraph Run()
    {
        StableHloFunction main = module.Main;
        HashSet<string> weights = Weights(main);
        ImmutableArray<ImportedTensor> arguments =
        [
            .. main.Arguments.Select(argument => _graph.Source(
                argument.Name, argument.Type.Dimensions, argument.Type.Element, argument.Type.Element is not null && weights.Contains(argument.Name) ? TensorOrigin.Weight : TensorOrigin.Input)),
        ];
        foreach (ImportedTensor result in Run(main, arguments, "", 0))
        {
            result.IsOutput = true;
        }

        return _graph;
    }

    /// <summary>Arguments that are vectors, right operands of products without a batch, or tables that rows are gathered from.</summary>
    private static HashSet<string> Weights(StableHloFunction function)
    {
        HashSet<string> weights = [.. function.Arguments.Where(argument => argument.Type.Dimensions.Length == 1).Select(argument => argument.Name)];
        var origins = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (StableHloStatement statement in function.Statements.Where(statement => statement.Operands.Length > 0))
        {
            string First(int operand) => origins.GetValueOrDefault(statement.Operands[operand], statement.Operands[operand]);
            switch (statement.Operation)
            {
                case "stablehlo.convert" or "stablehlo.reshape" or "stablehlo.transpose":
                    origins[statement.Result] = First(0);
                    break;
                case "stablehlo.dot_general" or "stablehlo.dot" when statement.Operands.Length == 2 && !statement.Text.Contains("batching_dim", StringComparison.Ordinal):
                    weights.Add(First(1));
                    break;
                case "stablehlo.gather":
                    weights.Add(First(0));
                    break;
            }
        }

        return weights;
    }

    private ImmutableArray<ImportedTensor> Run(StableHloFunction function, ImmutableArray<ImportedTensor> arguments, string prefix, int depth)
    {
        var known = new Dictionary<string, ImportedTensor>(StringComparer.Ordinal);
        for (int i = 0; i < Math.Min(arguments.Length, function.Arguments.Count); i++)
        {
            known[function.Arguments[i].Name] = arguments[i];
        }

        foreach (StableHloStatement statement in function.Statements)
        {
            ImmutableArray<ImportedTensor> operands = [.. statement.Operands.Select(name => Find(statement, name)).OfType<ImportedTensor>()];
            if (statement.Operation is "return" or "func.return" or "stablehlo.return")
            {
                return operands;
            }

            if (statement.Operation is "call" or "func.call")
            {
                ImmutableArray<ImportedTensor> results = Call(statement, operands, prefix, depth);
                for (int i = results.Length - 1; i >= 0; i--)
                {
                    known[FormattableString.Invariant($"{statement.Result}#{i}")] = known[statement.Result] = results[i];
                }

                continue;
            }

            known[statement.Result] = Translate(statement, operands, prefix + statement.Result);
        }

        return [];

        // The arguments of a loop's regions are names of its own.
        ImportedTensor? Find(StableHloStatement statement, string name) => known.GetValueOrDefault(name) ?? known.GetValueOrDefault(name.Split('#')[0])
            ?? (statement.Operation == "stablehlo.while" ? null : throw Problem(statement, $"found the unknown value {UnitText.Quote(name)}, expected an argument or an earlier result"));
    }

    private ImmutableArray<ImportedTensor> Call(StableHloStatement statement, ImmutableArray<ImportedTensor> operands, string prefix, int depth)
    {
        StableHloFunction called = module.Functions.GetValueOrDefault(statement.Callee) ?? throw Problem(statement, $"found a call of {UnitText.Quote(statement.Callee)}, expected a function of the module");
        return depth < DeepestCall ? Run(called, operands, $"{prefix}{called.Name}{statement.Result}/", depth + 1) : throw Problem(statement, FormattableString.Invariant($"found calls more than {DeepestCall} deep, expected fewer"));
    }

    private ImportedTensor Translate(StableHloStatement statement, ImmutableArray<ImportedTensor> operands, string name)
    {
        if (_graph.Nodes.Count + _graph.Sources.Count > MostNodes)
        {
            throw Problem(statement, FormattableString.Invariant($"found more than {MostNodes} operators, calls replaced, expected fewer"));
        }

        StableHloType type = Result(statement);
        return statement.Operation switch
        {
            "stablehlo.constant" => _graph.Source(name, type.Dimensions, type.Element, TensorOrigin.Weight, Value(statement.Text)),
            "stablehlo.dot_general" or "stablehlo.dot" when operands.Length == 2 => Product(statement, operands[0], operands[1], type, name),
            "stablehlo.reduce" when operands.Length >= 2 => Reduction(statement, operands[0], type, name),
            "stablehlo.dynamic_update_slice" when operands.Length >= 2 => _graph.Append(name, Concatenate, operands[..2], type.Dimensions, type.Element),
            "stablehlo.gather" when operands.Length == 2 && type.Element is not null => Gathered(operands, type, name),
            _ when Functions.TryGetValue(statement.Operation, out ImportedFunction function) && operands.Length >= Arity(function) =>
                _graph.Append(name, function, function == Slice ? operands[..1] : operands, type.Dimensions, type.Element, function == Slice ? Part(statement, operands[0].Dimensions, type) : null),
            _ => Unsupported(statement, operands, type, name),
        };
    }

    private static int Arity(ImportedFunction function) => function switch
    {
        Ordinals => 0,
        Add or Subtract or Multiply or Divide or Raise or Maximum or Compare or Binary => 2,
        Select => 3,
        _ => 1,
    };

    private ImportedTensor Unsupported(StableHloStatement statement, ImmutableArray<ImportedTensor> operands, StableHloType type, string name)
    {
        _graph.Unsupported(statement.Operation);
        return operands.IsEmpty ? _graph.Source(name, type.Dimensions, type.Element, TensorOrigin.Input) : _graph.Append(name, Reshape, operands[..1], type.Dimensions, type.Element);
    }

    private ImportedTensor Product(StableHloStatement statement, ImportedTensor left, ImportedTensor right, StableHloType type, string name)
    {
        (ImmutableArray<int> leftBatch, ImmutableArray<int> rightBatch) = statement.Pair("batching_dims") ?? (statement.List("lhs_batching_dimensions") ?? [], statement.List("rhs_batching_dimensions") ?? []);
        (ImmutableArray<int> leftSum, ImmutableArray<int> rightSum) = statement.Pair("contracting_dims")
            ?? (statement.List("lhs_contracting_dimensions") ?? [left.Dimensions.Length - 1], statement.List("rhs_contracting_dimensions") ?? [0]);
        long k = Extent(left, leftSum), batch = Extent(left, leftBatch);
        if (k != Extent(right, rightSum) || batch != Extent(right, rightBatch))
        {
            throw Problem(statement, "found operands whose batched or contracted extents differ, expected equal ones");
        }

        long shared = Math.Max(1, checked(k * batch)), m = left.Elements / shared, n = right.Elements / shared;
        return _graph.Append(name, new MatMul("", m, k, n, batch), [left, right], type.Dimensions);

        long Extent(ImportedTensor tensor, ImmutableArray<int> axes) => axes.Aggregate(1L, (product, axis) => axis < tensor.Dimensions.Length && axis >= 0
            ? checked(product * tensor.Dimensions[axis])
            : throw Problem(statement, FormattableString.Invariant($"found dimension {axis}, expected one of {tensor.Dimensions.Length}")));
    }

    private ImportedTensor Reduction(StableHloStatement statement, ImportedTensor operand, StableHloType type, string name) =>
        _graph.Append(name, statement.Reducer switch { "add" => ReduceSum, "maximum" => ReduceMaximum, _ => Unary }, [operand], type.Dimensions, type.Element);

    private ImportedTensor Gathered(ImmutableArray<ImportedTensor> operands, StableHloType type, string name)
    {
        (ImportedTensor table, long columns) = (operands[0], type.Dimensions.IsEmpty ? 1 : type.Dimensions[^1]);
        long rows = columns == 0 ? 0 : type.Dimensions.Aggregate(1L, (product, extent) => checked(product * extent)) / columns;
        return _graph.Append(name, new Embedding("", rows, columns, table.Rows), [table, operands[1]], type.Dimensions);
    }

    /// <summary>Axis, first and count where a slice is narrower than its operand.</summary>
    private static ImmutableArray<long> Part(StableHloStatement statement, ImmutableArray<long> whole, StableHloType type)
    {
        int axis = Math.Max(0, Enumerable.Range(0, Math.Min(whole.Length, type.Dimensions.Length)).FirstOrDefault(i => whole[i] != type.Dimensions[i]));
        string[] ranges = statement.Text.Split('[')[^1].Split(']')[0].Split(',');
        long first = axis < ranges.Length && long.TryParse(ranges[axis].Split(':')[0], NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out long start) ? start : 0;
        return [axis, first, axis < type.Dimensions.Length ? type.Dimensions[axis] : 1];
    }

    private StableHloType Result(StableHloStatement statement) => statement.Types.IsEmpty
        ? throw Problem(statement, $"found {UnitText.Quote(statement.Operation)} without a type, expected : tensor<...> at its end")
        : StableHloType.Parse(statement.Types[statement.Operation == "stablehlo.select" ? ^1 : 0]) ?? throw Problem(statement, $"found the type {UnitText.Quote(statement.Types[0])}, expected a tensor with known extents; export the module with static shapes");

    /// <summary>The number that fills a constant; null of a list, and of bits.</summary>
    private static double? Value(string text)
    {
        int start = text.IndexOf("dense<", StringComparison.Ordinal);
        return start >= 0 && double.TryParse(text[(start + 6)..].Split('>')[0], NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : null;
    }

    private InvalidDocumentException Problem(StableHloStatement statement, string message) => new(FormattableString.Invariant($"{file}: line {statement.Line}: {message}"));
}
