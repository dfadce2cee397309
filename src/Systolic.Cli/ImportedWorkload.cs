using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Systolic.Numerics;
using Systolic.Onnx;
using Systolic.Workloads;

namespace Systolic.Cli;

/// <summary>The options that read a workload from a file of another tool.</summary>
internal sealed class ImportedWorkload
{
    private readonly Option<string?> _onnx = new("--onnx") { Description = "An ONNX model instead of a configuration.", HelpName = "FILE" };
    private readonly Option<string?> _stableHlo = new("--stablehlo") { Description = "A StableHLO module as text instead of a configuration.", HelpName = "FILE" };
    private readonly Option<ImmutableSortedDictionary<string, long>> _dimensions = new("--dim")
    {
        Description = "Value of a symbolic dimension of the file; may be given several times.",
        HelpName = "NAME=N",
        Arity = ArgumentArity.OneOrMore,
        DefaultValueFactory = _ => ImportOptions.Default.Dimensions,
        CustomParser = ParseDimensions,
    };

    private readonly Option<bool> _skip = new("--skip-unsupported") { Description = "Run a file without the operators that are not built." };

    /// <summary>All of them.</summary>
    public ImmutableArray<Option> Options => [_onnx, _stableHlo, _dimensions, _skip];

    /// <summary>The workload of the file that is given; null when none is.</summary>
    /// <exception cref="UsageException">The options contradict each other.</exception>
    public OperatorGraph? Build(ParseResult parsed, DataType? type)
    {
        (string? onnx, string? stableHlo) = (parsed.GetValue(_onnx), parsed.GetValue(_stableHlo));
        if (onnx is null && stableHlo is null)
        {
            return ((Option[])[_dimensions, _skip]).FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } alone
                ? throw new UsageException($"{alone.Name} has no meaning without --onnx or --stablehlo.")
                : null;
        }

        if (onnx is not null && stableHlo is not null)
        {
            throw new UsageException("Both --onnx and --stablehlo are given; give one.");
        }

        var options = new ImportOptions { Dimensions = parsed.GetRequiredValue(_dimensions), SkipUnsupported = parsed.GetValue(_skip), Type = type };
        return onnx is not null ? OnnxReader.Load(onnx, options) : StableHloReader.Load(stableHlo!, options);
    }

    private static ImmutableSortedDictionary<string, long> ParseDimensions(ArgumentResult result)
    {
        ImmutableSortedDictionary<string, long> dimensions = ImportOptions.Default.Dimensions;
        foreach (string found in result.Tokens.Select(token => token.Value))
        {
            int equals = found.LastIndexOf('=');
            if (equals > 0 && long.TryParse(found[(equals + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value is >= 1 and <= SharedOptions.LargestSize)
            {
                dimensions = dimensions.SetItem(found[..equals], value);
            }
            else
            {
                result.AddError(FormattableString.Invariant($"--dim: found \"{found}\", expected a name and a whole number from 1 to {SharedOptions.LargestSize}, such as batch=1."));
            }
        }

        return dimensions;
    }
}
