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

    private readonly Option<string?> _plot = new("--plot") { Description = "Draw predicted over reference figures, as SVG or PNG.", HelpName = "FILE" };
    private readonly Option<string?> _group = new("--group") { Description = "Show only groups whose name begins so.", HelpName = "NAME" };

    public ValidateCommand(Terminal terminal)
        : base("validate", "Predicts the figures of a file and tells how near the predictions are.")
    {
        _terminal = terminal;
        _suite.CompletionSources.Add([.. ValidationSuites.Names]);
        Add(_suite);
        Add(_file);
        Add(_json);
        Add(_rows);
        Add(_plot);
        Add(_group);
        SetAction((parsed, cancellation) => Task.Run(() => Run(parsed, cancellation), cancellation));
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Examples { get; } =
    [
        "systolic validate scalesim scalesim_gemm.csv",
        "systolic validate scalesim scalesim_conv.csv --json scores.json --rows rows.csv",
        "systolic validate dram dram.csv --rows rows.csv",
        "systolic validate trainium readings.csv --group attention --plot attention.svg",
        "systolic validate tpu tpu.csv --plot tpu.svg",
        "systolic validate gpu gpu.csv --rows rows.csv",
        "systolic validate power power.csv --rows rows.csv",
    ];

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        string suite = parsed.GetRequiredValue(_suite);
        if (!ValidationSuites.Names.Contains(suite))
        {
            throw new UsageException($"SUITE: found \"{suite}\", expected one of: {string.Join(", ", ValidationSuites.Names)}.");
        }

        if (parsed.GetValue(_plot) is { } picture)
        {
            ScatterPicture.RequireFormat(picture);
        }

        if (new[] { _json, _rows, _plot }.Where(option => parsed.GetValue(option) is not null).GroupBy(option => Path.GetFullPath(parsed.GetValue(option)!)).FirstOrDefault(same => same.Count() > 1) is { } same)
        {
            throw new UsageException($"{string.Join(" and ", same.Select(option => option.Name))} name the same file, {same.Key}; give each its own.");
        }

        using OutputFile? json = Open(parsed, _json);
        using OutputFile? rows = Open(parsed, _rows);
        using OutputFile? plot = Open(parsed, _plot);
        ValidationReport result = ValidationSuites.Run(suite, parsed.GetRequiredValue(_file), cancellation);
        result = parsed.GetValue(_group) is { } group ? result.Only(group) : result;
        plot?.Write(stream => stream.Write(ScatterPicture.Draw(result, parsed.GetValue(_plot)!)));
        json?.Write(stream => ValidationWriter.WriteJson(stream, result));
        rows?.WriteText(text => ValidationWriter.WriteRows(text, result));
        ValidationTable.Show(_terminal.Results, result);
        return ExitCode.Success;
    }

    private static OutputFile? Open(ParseResult parsed, Option<string?> option) => parsed.GetValue(option) is { } path ? OutputFile.Open(option.Name, path) : null;
}
