using static Systolic.Workloads.ImportedFunction;

namespace Systolic.Workloads;

/// <summary>Recognizes attention: a product of queries and keys, scaled and masked, its softmax, and the product of that with the values.</summary>
internal static class AttentionFusion
{
    private const int LongestFormula = 12;

    /// <summary>The rule for the product with the values.</summary>
    public static bool Apply(ImportedNode node)
    {
        if (node is not { Operator: MatMul product, Inputs: [var one, var other] })
        {
            return false;
        }

        (ImportedTensor weights, ImportedTensor v) = one.Stored().Producer?.Operator is Softmax ? (one.Stored(), other.Unscaled()) : (other.Stored(), one.Unscaled());
        bool causal = false;
        double? cap = null;
        if (weights.Producer is not { Operator: Softmax } softmax || weights.Dimensions.Length < 2 || weights.Elements == 0 || Product(softmax.Inputs[0], ref causal, ref cap, LongestFormula) is not { Operator: MatMul scores } multiplied)
        {
            return false;
        }

        long keys = weights.Dimensions[^1], queries = weights.Dimensions[^2], allHeads = weights.Rows / queries, valueDim = product.Macs.Value / weights.Elements;
        if (scores.Macs.Value != checked(weights.Elements * scores.K) || product.Macs.Value != checked(weights.Elements * valueDim) || valueDim > scores.K || valueDim == 0)
        {
            return false;
        }

        bool inOrder = scores.N == keys;
        ImportedTensor q = multiplied.Inputs[inOrder ? 0 : 1].Unscaled(), k = multiplied.Inputs[inOrder ? 1 : 0].Unscaled();
        long batch = weights.Dimensions.Length > 3 ? weights.Dimensions[0] : allHeads * scores.K % q.Columns == 0 ? allHeads * scores.K / q.Columns : 1;
        long heads = allHeads / batch, kvHeads = k.Elements / checked(batch * keys * scores.K);
        kvHeads = kvHeads > 0 && kvHeads <= heads && heads % kvHeads == 0 ? kvHeads : heads;
        Attend(node, new Attention("", batch, heads, kvHeads, queries, keys, scores.K, causal && queries > 1) { SoftCap = cap, ValueDim = valueDim == scores.K ? 0 : valueDim }, q, k, v);
        return true;
    }

    /// <summary>Turns a node into attention, and what it keeps into an append to the cache: keys and values that leave the computation, or that follow others that entered it.</summary>
    public static void Attend(ImportedNode node, Attention attention, ImportedTensor q, ImportedTensor k, ImportedTensor v)
    {
        if (Past(k) is { } newKey && Past(v) is { } newValue)
        {
            Keep(node, attention, q, Cache(k), Cache(v), newKey, newValue);
        }
        else if (LeadsOut(k) && LeadsOut(v))
        {
            Keep(node, attention, q, k, v, k, v);
        }
        else
        {
            node.Become(attention, q, k, v);
        }
    }

    /// <summary>Turns a node into attention after an append of new keys and values to the cache.</summary>
    public static void Keep(ImportedNode node, Attention attention, ImportedTensor q, ImportedTensor k, ImportedTensor v, ImportedTensor newKey, ImportedTensor newValue)
    {
        node.Kept = [newKey.Stored(), newValue.Stored()];
        node.Become(attention, [q, k, v, .. node.Kept]);
    }

    /// <summary>The new part of keys or values that are appended to others from outside.</summary>
    private static ImportedTensor? Past(ImportedTensor tensor) =>
        tensor.Producer is { Function: Concatenate, Inputs: [var past, var added] } && past.Stored().Origin == TensorOrigin.Input ? added : null;

    /// <summary>The appended whole, as a tensor of its own that nobody has to compute.</summary>
    private static ImportedTensor Cache(ImportedTensor whole)
    {
        whole.IsOutput = false;
        return new ImportedTensor(whole.Name, whole.Dimensions, whole.Type, TensorOrigin.Cache);
    }

    private static bool LeadsOut(ImportedTensor tensor) => tensor.IsOutput || tensor.Readers.Any(reader => reader.IsView && LeadsOut(reader.Output));

    /// <summary>The product behind scores that are scaled, capped or masked.</summary>
    private static ImportedNode? Product(ImportedTensor tensor, ref bool causal, ref double? cap, int steps)
    {
        if (tensor.Stored().Producer is not { } node || steps == 0)
        {
            return null;
        }

        if (node.Operator is MatMul)
        {
            return node;
        }

        double? factor = node.Function == Multiply ? node.Inputs[0].Plain().Value ?? node.Inputs[1].Plain().Value : null;
        foreach (ImportedTensor operand in node.Function is Add or Subtract or Multiply or Divide or Select or Tanh or Maximum ? node.Inputs : [])
        {
            if (!operand.Known && Product(operand, ref causal, ref cap, steps - 1) is { } found)
            {
                causal |= node.Inputs.Any(other => other.Causal);
                cap = factor is not null && operand.As(Tanh) is not null ? factor : cap;
                return found;
            }
        }

        return null;
    }
}
