using static Systolic.Workloads.ImportedFunction;

namespace Systolic.Workloads;

/// <summary>Parts of formulas in an imported computation, found behind changes of shape and type.</summary>
internal static class Patterns
{
    /// <summary>The node that computes a tensor, if it does what is asked.</summary>
    public static ImportedNode? As(this ImportedTensor tensor, ImportedFunction function) => tensor.Plain().Producer is { } node && node.Function == function ? node : null;

    /// <summary>The operator that computes a tensor, if it is of that kind.</summary>
    public static T? As<T>(this ImportedTensor tensor)
        where T : Operator => tensor.Plain().Producer?.Operator as T;

    /// <summary>The tensor behind reshapes, repetitions and conversions.</summary>
    public static ImportedTensor Plain(this ImportedTensor tensor) => tensor.Behind(node => node.Function is Reshape or Broadcast);

    /// <summary>The tensor that lies in memory behind all views of it.</summary>
    public static ImportedTensor Stored(this ImportedTensor tensor) => tensor.Behind(node => node.IsView);

    /// <summary>The operands of a node of two, in both orders.</summary>
    public static IEnumerable<(ImportedTensor One, ImportedTensor Other)> Orders(this ImportedNode node) => [(node.Inputs[0], node.Inputs[1]), (node.Inputs[1], node.Inputs[0])];

    /// <summary>The argument of an average over the last extent, written as one or as a sum over a number.</summary>
    public static ImportedTensor? Averaged(this ImportedTensor tensor) => tensor.Reduced(ReduceMean)
        ?? ((tensor.As(Divide) ?? tensor.As(Multiply)) is { } scaled && scaled.Inputs[1].Plain().Value is not null ? scaled.Inputs[0].Reduced(ReduceSum) : null);

    /// <summary>The argument of a reduction over the last extent.</summary>
    public static ImportedTensor? Reduced(this ImportedTensor tensor, ImportedFunction function) =>
        tensor.As(function) is { Inputs: [var whole] } node && node.Output.Elements == whole.Rows ? whole : null;

    /// <summary>The argument of a square.</summary>
    public static ImportedTensor? Squared(this ImportedTensor tensor) =>
        tensor.As(Raise) is { } power && power.Inputs[1].Plain().Value == 2 ? power.Inputs[0]
        : tensor.As(Multiply) is { } product && product.Inputs[0].Plain() == product.Inputs[1].Plain() ? product.Inputs[0] : null;

    /// <summary>The value that is divided into one.</summary>
    public static ImportedTensor? Inverted(this ImportedTensor tensor) =>
        tensor.As(Reciprocal)?.Inputs[0] ?? (tensor.As(Divide) is { } quotient && quotient.Inputs[0].Plain().Value == 1 ? quotient.Inputs[1] : null);

    /// <summary>The argument of a function of the form f(a x + b), whatever a and b; follows one operand while the others are numbers.</summary>
    public static bool FollowsFrom(this ImportedTensor tensor, ImportedTensor source)
    {
        const int Longest = 16;
        var pending = new Stack<ImportedTensor>([tensor]);
        bool found = false;
        for (int steps = 0; pending.TryPop(out ImportedTensor? next); steps++)
        {
            next = next.Plain();
            if (next == source)
            {
                found = true;
            }
            else if (!next.Known)
            {
                if (steps > Longest || next.Producer is not { Function: Add or Subtract or Multiply or Divide or Raise or Negate } node)
                {
                    return false;
                }

                Array.ForEach([.. node.Inputs], pending.Push);
            }
        }

        return found;
    }

    /// <summary>The tensor without numbers that scale it.</summary>
    public static ImportedTensor Unscaled(this ImportedTensor tensor)
    {
        for (tensor = tensor.Stored(); tensor.Producer is { Function: Multiply or Divide } node && node.Inputs[1].Stored().Elements == 1; tensor = node.Inputs[0].Stored())
        {
        }

        return tensor;
    }

    private static ImportedTensor Behind(this ImportedTensor tensor, Func<ImportedNode, bool> passes)
    {
        while (tensor.Producer is { } node && passes(node))
        {
            tensor = node.Inputs[0];
        }

        return tensor;
    }
}
