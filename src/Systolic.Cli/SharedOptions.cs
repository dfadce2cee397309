using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Systolic.Numerics;

namespace Systolic.Cli;

/// <summary>Options that several commands share, each with a message that tells what was found and what is expected.</summary>
internal static class SharedOptions
{
    /// <summary>The largest size an option takes: far above any real dimension, far below overflow of a single product.</summary>
    public const long LargestSize = 1L << 30;

    /// <summary>A whole number from 1 to <see cref="LargestSize"/>.</summary>
    public static Option<long?> Size(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result => Size(result, name),
    };

    /// <summary>A positional whole number from 1 to <see cref="LargestSize"/>.</summary>
    public static Argument<long> SizeArgument(string name, string description) => new(name)
    {
        Description = description,
        CustomParser = result => Size(result, name) ?? 0,
    };

    /// <summary>One of a few words.</summary>
    public static Option<string> Choice(string name, string description, string[] words)
    {
        var option = new Option<string>(name)
        {
            Description = description,
            HelpName = string.Join('|', words),
            DefaultValueFactory = _ => words[0],
            CustomParser = result =>
            {
                string found = result.Tokens[0].Value;
                if (!words.Contains(found))
                {
                    result.AddError($"{name}: found \"{found}\", expected {string.Join(", ", words[..^1])} or {words[^1]}.");
                }

                return found;
            },
        };
        option.CompletionSources.Add(words);
        return option;
    }

    /// <summary>An element type of matrices.</summary>
    public static Option<DataType> MatrixType() => new("--dtype")
    {
        Description = "Element type: fp32, tf32, bf16, fp16, fp8e4m3, fp8e5m2 or int8.",
        HelpName = "TYPE",
        DefaultValueFactory = _ => DataType.Bf16,
        CustomParser = result =>
        {
            try
            {
                DataType type = DataTypes.Parse(result.Tokens[0].Value);
                if (type == DataType.Int32)
                {
                    result.AddError("--dtype: found \"int32\", expected a type that matrix units multiply, such as int8.");
                }

                return type;
            }
            catch (FormatException refused)
            {
                result.AddError($"--dtype: {refused.Message}.");
                return default;
            }
        },
    };

    /// <summary>A machine by name or path.</summary>
    public static Option<string> Machine(string name, string description, string fallback, Library library)
    {
        var option = new Option<string>(name) { Description = description, HelpName = "NAME|FILE", DefaultValueFactory = _ => fallback };
        option.CompletionSources.Add([.. library.MachineNames]);
        return option;
    }

    private static long? Size(ArgumentResult result, string name)
    {
        string found = result.Tokens[0].Value;
        if (long.TryParse(found, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long size) && size is >= 1 and <= LargestSize)
        {
            return size;
        }

        result.AddError(FormattableString.Invariant($"{name}: found \"{found}\", expected a whole number from 1 to {LargestSize}."));
        return null;
    }
}
