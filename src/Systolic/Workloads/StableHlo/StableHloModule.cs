using System.Text.RegularExpressions;
using Systolic.Units;

namespace Systolic.Workloads;

/// <summary>A function of a module: its arguments and its statements.</summary>
internal sealed record StableHloFunction(string Name, bool IsPublic, IReadOnlyList<(string Name, StableHloType Type)> Arguments, IReadOnlyList<StableHloStatement> Statements);

/// <summary>The functions of a module's text. A statement is a line, or as many as its braces enclose.</summary>
internal sealed partial class StableHloModule
{
    private readonly string[] _lines;
    private readonly string _file;
    private int _line;

    private StableHloModule(string text, string file) => (_lines, _file) = (text.Split('\n'), file);

    /// <summary>Functions by name.</summary>
    public Dictionary<string, StableHloFunction> Functions { get; } = new(StringComparer.Ordinal);

    /// <summary>The function "main", or the first public one.</summary>
    public StableHloFunction Main => Functions.GetValueOrDefault("main") ?? Functions.Values.FirstOrDefault(function => function.IsPublic) ?? Functions.Values.First();

    [GeneratedRegex(@"^func\.func\s+(?<kind>public\s+|private\s+)?@(?<name>""[^""]*""|[\w.$-]+)\((?<arguments>.*)\{$", RegexOptions.NonBacktracking)]
    private static partial Regex Header();

    [GeneratedRegex(@"(?<name>%[\w.$-]+)\s*:\s*(?<type>tensor<[^>]*>)", RegexOptions.NonBacktracking)]
    private static partial Regex Argument();

    /// <summary>Reads all functions.</summary>
    /// <exception cref="InvalidDocumentException">There is none, or a function does not end.</exception>
    public static StableHloModule Parse(string text, string file)
    {
        if (text.Length > JsonSection.MaximumLength)
        {
            throw new InvalidDocumentException(FormattableString.Invariant($"{file}: found {text.Length} characters, expected at most {JsonSection.MaximumLength}"));
        }

        var module = new StableHloModule(text, file);
        while (module._line < module._lines.Length)
        {
            int start = module._line;
            string line = module.Take();
            if (line.StartsWith("func.func", StringComparison.Ordinal))
            {
                module.ReadFunction(line, start);
            }
        }

        return module.Functions.Count > 0 ? module : throw new InvalidDocumentException($"{file}: found no function, expected a StableHLO module with func.func");
    }

    /// <summary>The next line, without a trailing location or comment.</summary>
    private string Take()
    {
        string line = _lines[_line++].Trim();
        int comment = line.StartsWith("//", StringComparison.Ordinal) ? 0 : line.IndexOf(" // ", StringComparison.Ordinal);
        line = comment < 0 ? line : line[..comment].TrimEnd();
        int location = line.LastIndexOf(" loc(", StringComparison.Ordinal);
        return location > 0 && line.EndsWith(')') && !line.Contains("func.func", StringComparison.Ordinal) ? line[..location] : line;
    }

    private void ReadFunction(string header, int start)
    {
        Match match = Header().Match(header);
        if (!match.Success)
        {
            throw Problem(start, $"found {UnitText.Quote(header)}, expected func.func @name(%argument: tensor<...>) -> ... {{");
        }

        string signature = match.Groups["arguments"].Value;
        int results = signature.LastIndexOf(") -> ", StringComparison.Ordinal);
        (string, StableHloType)[] arguments = [.. Argument().Matches(results < 0 ? signature : signature[..results]).Select(argument => (argument.Groups["name"].Value, Type(argument.Groups["type"].Value, start)))];
        var statements = new List<StableHloStatement>();
        while (Statement(start) is { } statement)
        {
            statements.Add(statement);
        }

        string name = match.Groups["name"].Value.Trim('"');
        Functions[name] = new StableHloFunction(name, !match.Groups["kind"].Value.StartsWith("private", StringComparison.Ordinal), arguments, statements);
    }

    /// <summary>The next statement; null at the function's end.</summary>
    private StableHloStatement? Statement(int function)
    {
        while (_line < _lines.Length)
        {
            int start = _line;
            string text = Take();
            if (text == "}")
            {
                return null;
            }

            if (text.Length == 0)
            {
                continue;
            }

            List<string> lines = [text];
            int depth = Depth(text);
            while (_line < _lines.Length && (depth > 0 || Continues(_lines[_line])))
            {
                lines.Add(Take());
                depth += Depth(lines[^1]);
            }

            // Without its end a region would swallow the rest of the file, of which nothing but this statement would be left.
            return depth <= 0 && StableHloStatement.Parse(string.Join('\n', lines), start + 1) is { } statement
                ? statement
                : throw Problem(start, $"found {UnitText.Quote(text)}, expected a statement such as %1 = stablehlo.add %0, %arg0 : tensor<8x16xf32>");
        }

        throw Problem(function, "found a function without its end, expected }");
    }

    /// <summary>The regions of a loop or of a reduction of several tensors, on lines of their own.</summary>
    private static bool Continues(string line) => line.AsSpan().TrimStart() is var text && (text.StartsWith("cond {") || text.StartsWith("reducer("));

    private static int Depth(string line) => line.Count(c => c == '{') - line.Count(c => c == '}');

    private StableHloType Type(string text, int line) => StableHloType.Parse(text) ?? throw Problem(line, $"found the type {UnitText.Quote(text)}, expected a tensor with known extents; export the module with static shapes");

    private InvalidDocumentException Problem(int line, string message) => new(FormattableString.Invariant($"{_file}: line {line + 1}: {message}"));
}
