using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Systolic.Workloads;

/// <summary>A statement of a function.</summary>
/// <param name="Line">Its first line, from 1.</param>
/// <param name="Result">The name of its result, without the count of several; empty when it has none.</param>
/// <param name="Operation">What it does, such as "stablehlo.add".</param>
/// <param name="Operands">Names that it reads.</param>
/// <param name="Text">Everything behind the operation.</param>
/// <param name="Types">The types of its results, as written; one may stand for all.</param>
internal sealed partial record StableHloStatement(int Line, string Result, string Operation, ImmutableArray<string> Operands, string Text, ImmutableArray<string> Types)
{
    [GeneratedRegex(@"^(?:(?<result>%[\w.$-]+)(?::\d+)?\s*=\s*)?""?(?<operation>[A-Za-z_][\w.]*)""?(?<rest>[\s\S]*)$", RegexOptions.NonBacktracking)]
    private static partial Regex Form();

    [GeneratedRegex(@"%[\w.$-]+(?:#\d+)?", RegexOptions.NonBacktracking)]
    private static partial Regex Operand();

    [GeneratedRegex(@"tensor<[^>]*>", RegexOptions.NonBacktracking)]
    private static partial Regex Tensor();

    [GeneratedRegex(@"stablehlo\.(?<name>[a-z_]+)", RegexOptions.NonBacktracking)]
    private static partial Regex Name();

    /// <summary>Reads a statement; null when the text is none.</summary>
    public static StableHloStatement? Parse(string text, int line)
    {
        Match match = Form().Match(text);
        if (!match.Success)
        {
            return null;
        }

        // "op"(operands) ({ region }) : types, or op(operands) : types and then a region on lines of its own.
        string rest = match.Groups["rest"].Value;
        int region = rest.IndexOf("({", StringComparison.Ordinal), end = region < 0 ? -1 : rest.LastIndexOf("})", StringComparison.Ordinal);
        string head = end < 0 ? rest.Split('\n')[0] : rest[..region] + rest[(end + 2)..];
        int types = head.LastIndexOf(" : ", StringComparison.Ordinal);
        string reads = types < 0 ? head : head[..types], right = types < 0 ? "" : head[types..];
        int arrow = right.LastIndexOf("->", StringComparison.Ordinal);
        return new StableHloStatement(
            line,
            match.Groups["result"].Value,
            match.Groups["operation"].Value,
            [.. Operand().Matches(reads).Select(operand => operand.Value)],
            rest,
            [.. Tensor().Matches(arrow < 0 ? right : right[arrow..]).Select(tensor => tensor.Value)]);
    }

    /// <summary>The operation inside a reduction.</summary>
    public string Reducer => Name().Matches(Text).Select(match => match.Groups["name"].Value).FirstOrDefault(name => name != "return") ?? "";

    /// <summary>The name of a called function.</summary>
    public string Callee => Text.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at ? Text[(at + 1)..].Split('(')[0].Trim('"', ' ') : "";

    /// <summary>A list of whole numbers behind a key: "dims = [0, 1]", "dimensions = array&lt;i64: 1&gt;"; null when missing or no list.</summary>
    public ImmutableArray<int>? List(string key)
    {
        int start = Text.IndexOf(key, StringComparison.Ordinal);
        return start < 0 ? null : Numbers(Text[(start + key.Length)..]);
    }

    /// <summary>Both lists of "key = [0] x [1]".</summary>
    public (ImmutableArray<int> Left, ImmutableArray<int> Right)? Pair(string key)
    {
        int start = Text.IndexOf(key, StringComparison.Ordinal), middle = start < 0 ? -1 : Text.IndexOf("] x [", start, StringComparison.Ordinal);
        return middle >= 0 && Numbers(Text[(start + key.Length)..]) is { } left && Numbers(Text[(middle + 4)..]) is { } right ? (left, right) : null;
    }

    private static ImmutableArray<int>? Numbers(string text)
    {
        string list = text.TrimStart(' ', '=').Split(']', '>')[0].Split('[', ':')[^1];
        var numbers = ImmutableArray.CreateBuilder<int>();
        foreach (string part in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            {
                return list.StartsWith("array<i64", StringComparison.Ordinal) ? [] : null;
            }

            numbers.Add(number);
        }

        return numbers.ToImmutable();
    }
}
