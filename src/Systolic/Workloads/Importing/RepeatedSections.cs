using System.Collections.Immutable;

namespace Systolic.Workloads;

/// <summary>Finds the layers in a list of operators: the longest stretch that repeats with equal sizes and hands one tensor on.</summary>
internal static class RepeatedSections
{
    private const string Stream = "hidden";
    private const int LongestSearched = 20_000;

    /// <summary>The operators as sections: those before the layers, one layer that repeats, and those after; one section when nothing repeats.</summary>
    public static ImmutableArray<GraphSection> Of(ImmutableArray<Operator> operators)
    {
        (int start, int length, int period) = Longest(operators);
        for (int shift = 0; shift < period; shift++)
        {
            int first = start + shift, repeat = (length - shift) / period;
            if (repeat > 1 && Streams(operators, first, period, repeat) is { } streams)
            {
                return Sections([.. operators.Select(op => op with { Inputs = Renamed(op.Inputs, streams), Outputs = Renamed(op.Outputs, streams) })], first, period, repeat);
            }
        }

        return [new GraphSection("model", 1, operators)];
    }

    private static ImmutableArray<GraphSection> Sections(ImmutableArray<Operator> operators, int first, int period, int repeat)
    {
        GraphSection[] sections =
        [
            new("start", 1, operators[..first]),
            new("layer", repeat, operators.Slice(first, period)),
            new("end", 1, operators[(first + (period * repeat))..]),
        ];
        return [.. sections.Where(section => !section.Operators.IsEmpty)];
    }

    private static ImmutableArray<Operand> Renamed(ImmutableArray<Operand> operands, HashSet<string> streams) =>
        [.. operands.Select(operand => streams.Contains(operand.Name) ? operand with { Name = Stream } : operand)];

    /// <summary>The stretch of most operators that equal those one period on; of equal ones that of the shortest period, then the earliest.</summary>
    private static (int Start, int Length, int Period) Longest(ImmutableArray<Operator> operators)
    {
        var known = new Dictionary<(Operator, Split), int>();
        int[] kinds = [.. operators.Select(op => (op.Signature, op.Split)).Select(key => known.TryGetValue(key, out int kind) ? kind : known[key] = known.Count)];
        (int Start, int Length, int Period) best = default;
        for (int period = 1; period <= kinds.Length / 2 && kinds.Length <= LongestSearched; period++)
        {
            for (int start = 0, at = period; at <= kinds.Length; at++)
            {
                if (at < kinds.Length && kinds[at - period] == kinds[at])
                {
                    continue;
                }

                if (at - start >= 2 * period && at - start > best.Length + best.Period && kinds.AsSpan(start, period).ContainsAnyExcept(kinds[start]))
                {
                    best = (start, at - start, period);
                }

                start = at - period + 1;
            }
        }

        return best;
    }

    /// <summary>The names of the one tensor that each repetition hands to the next; null when they are wired otherwise.</summary>
    private static HashSet<string>? Streams(ImmutableArray<Operator> operators, int first, int period, int repeat)
    {
        var streams = new HashSet<string>(StringComparer.Ordinal);
        for (int pass = 0; pass < repeat; pass++)
        {
            ImmutableArray<Operator> layer = operators.Slice(first + (pass * period), period);
            ImmutableArray<Tensor> inputs = new GraphSection("", 1, layer).Inputs;
            if (inputs.Length != 1 || (pass > 0 && !streams.Contains(inputs[0].Operand.Name)))
            {
                return null;
            }

            streams.Add(inputs[0].Operand.Name);
            streams.Add(layer[^1].Outputs[0].Name);
        }

        return streams;
    }
}
