using System.Collections.Immutable;
using Systolic.Numerics;
using Systolic.Workloads;
using static Systolic.Workloads.ImportedFunction;

namespace Systolic.Onnx;

/// <summary>Operators that change shape, type, order or extent, select rows, or make the integers for those.</summary>
internal static class OnnxViews
{
    /// <summary>The rules.</summary>
    public static IEnumerable<(string Name, Action<OnnxStep> Translate)> Rules =>
    [
        ("Identity", Same), ("Dropout", Same), ("CastLike", Same), ("Cast", Cast), ("Reshape", Reshaped), ("Flatten", Flatten), ("Squeeze", Squeeze), ("Unsqueeze", Unsqueeze), ("Transpose", Transposed),
        ("Expand", step => Repeated(step, OnnxOperations.Broadcasted(step.Input(0).Dimensions, step.Numbers(1, "shape") ?? []))), ("Tile", Tile), ("Slice", Sliced), ("Split", Split), ("Concat", Concatenated),
        ("Gather", Gather), ("GatherElements", step => step.Define(Unary, [step.Input(0)], step.Input(1).Dimensions, step.Input(0).Type)),
        ("Shape", Shape), ("Size", step => Integers(step, [step.Input(0).Elements], [])), ("Constant", Constant), ("ConstantOfShape", Filled), ("Range", Range),
    ];

    private static void Same(OnnxStep step) => View(step, step.Input(0).Dimensions);

    private static void View(OnnxStep step, ImmutableArray<long> dimensions, ImportedFunction function = Reshape) =>
        step.Define(function, [step.Input(0)], dimensions, step.Input(0).Type, integers: function == Reshape ? step.Input(0).Integers : null);

    private static void Cast(OnnxStep step)
    {
        ImportedTensor x = step.Input(0);
        step.Define(Reshape, [x], x.Dimensions, OnnxTensor.RealType((int)step.Number("to", 0)), integers: x.Integers);
    }

    private static void Reshaped(OnnxStep step)
    {
        ImportedTensor x = step.Input(0);
        ImmutableArray<long> asked = step.Numbers(1, "shape") ?? throw step.Problem("found no shape, expected one");
        long[] extents = [.. asked.Select((extent, i) => extent == 0 && step.Number("allowzero", 0) == 0 && i < x.Dimensions.Length ? x.Dimensions[i] : extent)];
        int free = Array.IndexOf(extents, -1);
        if (free >= 0)
        {
            long known = extents.Where((_, i) => i != free).Aggregate(1L, (product, extent) => checked(product * extent));
            extents[free] = known == 0 ? 0 : x.Elements / known;
        }

        View(step, extents.Aggregate(1L, (product, extent) => checked(product * extent)) == x.Elements ? [.. extents] : throw new ArgumentException("elements differ"));
    }

    private static void Flatten(OnnxStep step)
    {
        ImportedTensor x = step.Input(0);
        int axis = (int)step.Number("axis", 1) is var given && given == x.Dimensions.Length ? given : step.Axis(given, x.Dimensions.Length);
        long rows = x.Dimensions.Take(axis).Aggregate(1L, (product, extent) => checked(product * extent));
        View(step, [rows, rows == 0 ? 0 : x.Elements / rows]);
    }

    private static void Squeeze(OnnxStep step)
    {
        ImmutableArray<long> extents = step.Input(0).Dimensions;
        HashSet<int>? axes = step.Numbers(1, "axes") is { } listed ? [.. listed.Select(axis => step.Axis(axis, extents.Length))] : null;
        View(step, [.. extents.Where((extent, i) => axes is null ? extent != 1 : !axes.Contains(i))]);
    }

    private static void Unsqueeze(OnnxStep step)
    {
        ImportedTensor x = step.Input(0);
        ImmutableArray<long> axes = step.Numbers(1, "axes") ?? throw step.Problem("found no axes, expected some");
        List<long> extents = [.. x.Dimensions];
        foreach (int axis in axes.Select(axis => step.Axis(axis, x.Dimensions.Length + axes.Length)).Order())
        {
            extents.Insert(axis, 1);
        }

        View(step, [.. extents]);
    }

    private static void Transposed(OnnxStep step)
    {
        ImmutableArray<long> extents = step.Input(0).Dimensions;
        ImmutableArray<long> order = step.Find("perm") is { } given ? [.. given.Integers] : [.. Enumerable.Range(0, extents.Length).Reverse().Select(i => (long)i)];
        View(step, order.Length == extents.Length ? [.. order.Select(axis => extents[step.Axis(axis, extents.Length)])] : throw new ArgumentException("order differs"), Transpose);
    }

    private static void Repeated(OnnxStep step, ImmutableArray<long> dimensions) => View(step, dimensions, Broadcast);

    private static void Tile(OnnxStep step)
    {
        ImmutableArray<long> times = step.Numbers(1, "repeats") ?? throw step.Problem("found no repeats, expected some");
        Repeated(step, [.. step.Input(0).Dimensions.Zip(times, (extent, time) => checked(extent * time))]);
    }

    private static void Sliced(OnnxStep step)
    {
        ImportedTensor x = step.Input(0);
        ImmutableArray<long> starts = step.Numbers(1, "starts") ?? [], ends = step.Numbers(2, "ends") ?? [], steps = step.Numbers(4, "steps") ?? [.. starts.Select(_ => 1L)];
        ImmutableArray<long> axes = step.Numbers(3, "axes") ?? [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)];
        ImportedTensor result = x;
        for (int i = 0; i < axes.Length; i++)
        {
            int axis = step.Axis(axes[i], x.Dimensions.Length);
            long extent = x.Dimensions[axis], stride = steps[i], first = Clamp(starts[i], stride > 0 ? 0 : -1), end = Clamp(ends[i], stride > 0 ? 0 : -1);
            long count = stride > 0 ? Math.Max(0, (end - first + stride - 1) / stride) : stride < 0 ? Math.Max(0, (first - end - stride - 1) / -stride) : throw new ArgumentException("no stride");
            result = Part(step, result, axis, Math.Max(0, first), count, stride, i == axes.Length - 1 ? "" : FormattableString.Invariant($".{i}"));

            long Clamp(long position, long lowest) => Math.Clamp(position < 0 ? position + extent : position, lowest, extent + Math.Min(0, lowest));
        }

        step.Define(result, 0);
    }

    private static ImportedTensor Part(OnnxStep step, ImportedTensor x, int axis, long first, long count, long stride = 1, string suffix = "") =>
        step.Graph.Append(step.Name + suffix, Slice, [x], x.Dimensions.SetItem(axis, count), x.Type, [axis, first, count], x.Integers is { } list ? [.. Enumerable.Range(0, (int)count).Select(i => list[(int)(first + (i * stride))])] : null);

    private static void Split(OnnxStep step)
    {
        ImportedTensor x = step.Input(0);
        int axis = step.Axis(step.Number("axis", 0), x.Dimensions.Length), parts = step.Node.Outputs.Count;
        long extent = x.Dimensions[axis], share = (extent + parts - 1) / parts, first = 0;
        ImmutableArray<long> sizes = step.Numbers(1, "split") ?? [.. Enumerable.Range(0, parts).Select(i => Math.Clamp(extent - (share * i), 0, share))];
        for (int i = 0; i < parts; i++)
        {
            long count = sizes[i] >= 0 && sizes[i] <= extent - first ? sizes[i] : throw new ArgumentException("parts exceed the whole");
            step.Define(Part(step, x, axis, first, count, suffix: i == 0 ? "" : FormattableString.Invariant($".{i}")), i);
            first += count;
        }
    }

    private static void Concatenated(OnnxStep step)
    {
        ImmutableArray<ImportedTensor> inputs = step.Inputs;
        int axis = step.Axis(step.Number("axis", 0), inputs[0].Dimensions.Length);
        if (inputs.Any(input => input.Dimensions.Length != inputs[0].Dimensions.Length))
        {
            throw new ArgumentException("ranks differ");
        }

        ImmutableArray<long>? integers = inputs.All(input => input.Integers is { Length: < 1024 }) && inputs.Length < 64 ? [.. inputs.SelectMany(input => input.Integers!.Value)] : null;
        step.Define(Concatenate, inputs, inputs[0].Dimensions.SetItem(axis, inputs.Aggregate(0L, (sum, input) => checked(sum + input.Dimensions[axis]))), inputs[0].Type, integers: integers);
    }

    /// <summary>Rows of a table by index; a single known index is a part of the tensor.</summary>
    private static void Gather(OnnxStep step)
    {
        ImportedTensor table = step.Input(0), indices = step.Input(1);
        int axis = step.Axis(step.Number("axis", 0), table.Dimensions.Length);
        ImmutableArray<long> dimensions = [.. table.Dimensions[..axis], .. indices.Dimensions, .. table.Dimensions[(axis + 1)..]];
        if (table.Integers is { } list && indices.Integers is { } chosen)
        {
            Integers(step, [.. chosen.Select(index => list[step.Axis(index, list.Length)])], dimensions);
        }
        else if (table.Type is null || indices.Elements == 1 || (table.Known && table.Dimensions.Length < 2))
        {
            ImportedTensor part = step.Graph.Append(step.Name + ".row", Slice, [table], table.Dimensions.SetItem(axis, indices.Elements), table.Type, [axis, indices.Integers?.FirstOrDefault() is > 0 and var first ? first : 0, indices.Elements]);
            step.Define(Reshape, [part], dimensions, table.Type);
        }
        else
        {
            long columns = table.Dimensions.Skip(axis + 1).Aggregate(1L, (product, extent) => checked(product * extent)), rows = dimensions.Take(axis + indices.Dimensions.Length).Aggregate(1L, (product, extent) => checked(product * extent));
            step.Define(new Embedding("", rows, columns, table.Dimensions.Take(axis + 1).Aggregate(1L, (product, extent) => checked(product * extent))), [table, indices], dimensions);
        }
    }

    private static void Shape(OnnxStep step)
    {
        ImmutableArray<long> extents = step.Input(0).Dimensions;
        int rank = extents.Length, start = Bound(step.Number("start", 0)), end = Bound(step.Number("end", rank));
        Integers(step, end > start ? extents[start..end] : [], [Math.Max(0, end - start)]);

        int Bound(long position) => (int)Math.Clamp(position < 0 ? position + rank : position, 0, rank);
    }

    private static void Integers(OnnxStep step, ImmutableArray<long> values, ImmutableArray<long> dimensions) =>
        step.Define(step.Graph.Source(step.Name, dimensions, null, TensorOrigin.Weight, values.Length == 1 ? values[0] : null, values), 0);

    private static void Constant(OnnxStep step)
    {
        if (step.Find("value")?.Tensor is { } tensor)
        {
            step.DefineConstant(tensor);
        }
        else if (step.Real("value_float") is { } real)
        {
            step.Define(step.Graph.Source(step.Name, [], DataType.Fp32, TensorOrigin.Weight, real), 0);
        }
        else if (step.Find("value_ints") is { } list)
        {
            Integers(step, [.. list.Integers], [list.Integers.Count]);
        }
        else
        {
            Integers(step, [step.Find("value_int")?.Integer ?? throw step.Problem("found no value, expected a tensor, a number or integers")], []);
        }
    }

    private static void Filled(OnnxStep step)
    {
        ImmutableArray<long> dimensions = step.Numbers(0, "shape") ?? [];
        OnnxTensor? given = step.Find("value")?.Tensor;
        double value = given?.Values.FirstOrDefault() ?? 0;
        DataType? type = given is null ? DataType.Fp32 : OnnxTensor.RealType(given.ElementType);
        bool listed = type is null && dimensions is [>= 0 and < 64];
        step.Define(step.Graph.Source(step.Name, dimensions, type, TensorOrigin.Computed, value, listed ? [.. Enumerable.Repeat(OnnxStep.Integer(value), (int)dimensions[0])] : null), 0);
    }

    private static void Range(OnnxStep step)
    {
        long? first = step.Input(0).Integers?.FirstOrDefault(), end = step.Input(1).Integers?.FirstOrDefault(), stride = step.Input(2).Integers?.FirstOrDefault();
        long count = first is { } from && end is { } until && stride is { } by and not 0 ? Math.Max(0, (until - from + by - Math.Sign(by)) / by) : throw step.Problem("found bounds that are computed in the run, expected integers that follow from the shapes");
        step.Define(Ordinals, step.Inputs, [count], null);
    }
}
