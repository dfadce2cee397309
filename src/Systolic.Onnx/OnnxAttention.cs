using System.Collections.Immutable;
using Systolic.Workloads;
using static Systolic.Workloads.ImportedFunction;

namespace Systolic.Onnx;

/// <summary>Attention as one node: of ai.onnx (opset 23), and Attention, MultiHeadAttention and GroupQueryAttention of com.microsoft; rotary positions.</summary>
internal static class OnnxAttention
{
    /// <summary>An input that no node has.</summary>
    private const int NoPast = 1000;

    /// <summary>The rules.</summary>
    public static IEnumerable<(string Name, Action<OnnxStep> Translate)> Rules =>
    [
        ("Attention", step => (step.Find("num_heads") is null ? (Action<OnnxStep>)Standard : Projected)(step)), ("MultiHeadAttention", MultiHead), ("GroupQueryAttention", GroupQuery), ("RotaryEmbedding", Rotary),
    ];

    /// <summary>ai.onnx: queries, keys, values, mask, past keys, past values.</summary>
    private static void Standard(OnnxStep step)
    {
        ImportedTensor q = step.Input(0), k = step.Input(1);
        long heads = q.Dimensions.Length == 4 ? q.Dimensions[1] : step.Number("q_num_heads", 1), kvHeads = k.Dimensions.Length == 4 ? k.Dimensions[1] : step.Number("kv_num_heads", heads);
        Attend(step, q, k, step.Input(2), heads, kvHeads, step.Number("is_causal", 0) != 0 || step.Optional(3)?.Causal == true, 4);
    }

    /// <summary>com.microsoft: the input, the weight of queries, keys and values in one, its bias, mask, past.</summary>
    private static void Projected(OnnxStep step)
    {
        ImportedTensor product = OnnxOperations.Product(step, step.Name + ".qkv", step.Input(0), step.Input(1));
        product = step.Optional(2) is { } bias ? step.Graph.Append(step.Name + ".qkv_bias", Add, [product, bias], product.Dimensions, product.Type) : product;
        ImportedTensor[] parts = Parts(step, product, 1, 1, 1);
        long heads = step.Number("num_heads", 1);
        Attend(step, parts[0], parts[1], parts[2], heads, heads, step.Number("unidirectional", 0) != 0, NoPast);
    }

    /// <summary>com.microsoft: queries, keys, values, bias, padding, bias of scores, past keys, past values.</summary>
    private static void MultiHead(OnnxStep step)
    {
        ImportedTensor q = step.Input(0);
        ImportedTensor[] parts = step.Optional(1) is { } k ? [q, k, step.Input(2)] : Parts(step, q, 1, 1, 1);
        long heads = step.Number("num_heads", 1);
        Attend(step, parts[0], parts[1], parts[2], heads, heads, step.Number("unidirectional", 0) != 0 || step.Optional(5)?.Causal == true, 6);
    }

    /// <summary>com.microsoft: queries, keys, values, past keys, past values, lengths, tables of sines; always causal.</summary>
    private static void GroupQuery(OnnxStep step)
    {
        long heads = step.Number("num_heads", 1), kvHeads = step.Number("kv_num_heads", heads);
        ImportedTensor q = step.Input(0);
        ImportedTensor[] parts = step.Optional(1) is { } key ? [q, key, step.Input(2)] : Parts(step, q, heads, kvHeads, kvHeads);
        if (step.Number("do_rotary", 0) != 0)
        {
            (parts[0], parts[1]) = (Rotated(step, step.Name + ".q_rope", parts[0], heads), Rotated(step, step.Name + ".k_rope", parts[1], kvHeads));
        }

        Attend(step, parts[0], parts[1], parts[2], heads, kvHeads, causal: true, 3);
    }

    private static void Rotary(OnnxStep step)
    {
        ImportedTensor x = step.Input(0);
        step.Define(Rotated(step, step.Name, x, x.Dimensions.Length == 4 ? x.Dimensions[1] : step.Number("num_heads", 1)), 0);
    }

    /// <summary>The table of sines and cosines is known.</summary>
    private static ImportedTensor Rotated(OnnxStep step, string name, ImportedTensor x, long heads)
    {
        (long batch, long tokens, long features) = Sizes(x, heads);
        ImportedTensor table = step.Graph.Source(name + ".table", [], null, TensorOrigin.Weight);
        return step.Graph.Append(name, new Rope("", checked(batch * tokens), checked(heads * features), features), [x, table], x.Dimensions);
    }

    /// <summary>Queries, keys and values that lie side by side, in shares of the columns.</summary>
    private static ImportedTensor[] Parts(OnnxStep step, ImportedTensor x, params long[] shares)
    {
        long unit = x.Columns / shares.Sum(), first = 0;
        return [.. shares.Select((share, i) => Part(FormattableString.Invariant($"{step.Name}.{"qkv"[i]}"), share * unit))];

        ImportedTensor Part(string name, long count)
        {
            ImportedTensor part = step.Graph.Append(name, Slice, [x], x.Dimensions.SetItem(x.Dimensions.Length - 1, count), x.Type, [x.Dimensions.Length - 1, first, count]);
            first += count;
            return part;
        }
    }

    /// <summary>[batch, tokens, heads x features] or [batch, heads, tokens, features].</summary>
    private static (long Batch, long Tokens, long Features) Sizes(ImportedTensor x, long heads) => x.Dimensions is [var batch, var inner, var tokens, var features] && inner == heads
        ? (batch, tokens, features)
        : x.Dimensions is [var sequences, var rows, var columns] && heads > 0 && columns % heads == 0 ? (sequences, rows, columns / heads) : throw new ArgumentException("no heads");

    private static void Attend(OnnxStep step, ImportedTensor q, ImportedTensor k, ImportedTensor v, long heads, long kvHeads, bool causal, int past)
    {
        (long batch, long tokens, long features) = Sizes(q, heads);
        (_, long keys, long keyFeatures) = Sizes(k, kvHeads);
        (_, long values, long valueFeatures) = Sizes(v, kvHeads);
        if (kvHeads > heads || heads % kvHeads != 0 || keyFeatures != features || valueFeatures > features || values != keys)
        {
            throw new ArgumentException("heads differ");
        }

        (ImportedTensor wholeKeys, ImportedTensor wholeValues) = (Present(step, past, k, [batch, kvHeads, keys, features], 1), Present(step, past + 1, v, [batch, kvHeads, keys, valueFeatures], 2));
        var attention = new Attention("", batch, heads, kvHeads, tokens, wholeKeys.Dimensions[2], features, causal && tokens > 1) { ValueDim = valueFeatures == features ? 0 : valueFeatures, SoftCap = step.Real("softcap") is > 0 and var cap ? cap : null };
        step.Define(attention, [q, wholeKeys, wholeValues], q.Dimensions.Length == 4 ? [batch, heads, tokens, valueFeatures] : [batch, tokens, checked(heads * valueFeatures)]);
    }

    /// <summary>Keys or values as the node gives them on: after those of the past, if there are any.</summary>
    private static ImportedTensor Present(OnnxStep step, int past, ImportedTensor added, ImmutableArray<long> dimensions, int output)
    {
        string name = step.Name + (output == 1 ? ".keys" : ".values");
        ImportedTensor whole = step.Graph.Append(name + ".heads", Transpose, [added], dimensions, added.Type);
        if (step.Optional(past) is { } before)
        {
            whole = step.Graph.Append(name, Concatenate, [before, whole], dimensions.SetItem(2, checked(before.Dimensions[2] + dimensions[2])), added.Type);
        }

        step.Define(whole, output);
        return whole;
    }
}
