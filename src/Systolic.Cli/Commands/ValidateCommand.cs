using System.CommandLine;
using Systolic.Cli.Output;
using Systolic.Cli.Rendering;
using Systolic.Validation;

namespace Systolic.Cli.Commands;

/// <summary>`systolic validate SUITE FILE.csv`: predictions beside reference or measured figures.</summary>
internal sealed class ValidateCommand : Command, IHasExamples
{
    private readonly Terminal _terminal;
    private readonly Argument<string> _suite = new("SUITE") { Description = $"What the file holds: {string.Join(", ", ValidationSuites.Names)}." };
    private readonly Argument<string> _file = new("FILE") { Description = "The figures, with the columns of the suite." };
    private readonly Option<string?> _json = new("--json") { Description = "Write the groups as JSON.", HelpName = "FILE" };
    private readonly Option<string?> _rows = new("--rows") { Description = "Write a line per figure as CSV.", HelpName = "FILE" };

    public ValidateCommand(Terminal terminal)
        : base("validate", "Predicts the figures of a file and tells how near the predictions are.")
    {
        _terminal = terminal;
        _suite.CompletionSources.Add([.. ValidationSuites.Names]);
        Add(_suite);
        Add(_file);
        Add(_json);
        Add(_rows);
        SetAction((parsed, cancellation) => Task.Run(() => Run(parsed, cancellation), cancellation));
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Examples { get; } =
    [
        "systolic validate scalesim scalesim_gemm.csv",
        "systolic validate scalesim scalesim_conv.csv --json scores.json --rows rows.csv",
        "systolic validate dram dram.csv --rows rows.csv",
        "systolic validate power power.csv --rows rows.csv",
    ];

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        string suite = parsed.GetRequiredValue(_suite);
        if (!ValidationSuites.Names.Contains(suite))
        {
            throw new UsageException($"SUITE: found \"{suite}\", expected one of: {string.Join(", ", ValidationSuites.Names)}.");
        }

        if (parsed.GetValue(_json) is { } first && parsed.GetValue(_rows) is { } second && Path.GetFullPath(first) == Path.GetFullPath(second))
        {
            throw new UsageException($"--json and --rows name the same file, {Path.GetFullPath(first)}; give each its own.");
        }

        using OutputFile? json = Open(parsed, _json);
        using OutputFile? rows = Open(parsed, _rows);
        ValidationReport result = ValidationSuites.Run(suite, parsed.GetRequiredValue(_file), cancellation);
        json?.Write(stream => ValidationWriter.WriteJson(stream, result));
        rows?.WriteText(text => ValidationWriter.WriteRows(text, result));
        ValidationTable.Show(_terminal.Results, result);
        return ExitCode.Success;
    }

    private static OutputFile? Open(ParseResult parsed, Option<string?> option) => parsed.GetValue(option) is { } path ? OutputFile.Open(option.Name, path) : null;
}
