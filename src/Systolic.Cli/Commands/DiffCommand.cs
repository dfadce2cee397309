using System.Collections.Immutable;
using System.CommandLine;
using Systolic.Cli.Output;
using Systolic.Cli.Rendering;
using Systolic.Reporting;

namespace Systolic.Cli.Commands;

/// <summary>`systolic diff A.json B.json`: what changed between two runs.</summary>
internal sealed class DiffCommand : Command, IHasExamples
{
    private readonly Terminal _terminal;
    private readonly Argument<string> _before = new("BEFORE") { Description = "The JSON report of a run." };
    private readonly Argument<string> _after = new("AFTER") { Description = "The JSON report of another run." };
    private readonly Option<string?> _machine = new("--machine") { Description = "Whose run, where a file holds a comparison.", HelpName = "NAME" };
    private readonly OutputOptions _output = new(trace: false);

    public DiffCommand(Terminal terminal)
        : base("diff", "Tells what changed between two runs whose reports were written with --json, ranked by time and by energy.")
    {
        _terminal = terminal;
        Add(_before);
        Add(_after);
        Add(_machine);
        _output.AddTo(this);
        SetAction(Run);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Examples { get; } =
    [
        "systolic diff before.json after.json",
        "systolic diff before.json after.json --machine trn2 --markdown changes.md --csv changes.csv",
    ];

    private int Run(ParseResult parsed)
    {
        var diff = RunDiff.Between(Load(parsed, _before), Load(parsed, _after));
        using OutputFiles files = _output.Open(parsed);
        files.Write(diff);
        new DiffView(_terminal.Results).Show(diff);
        return ExitCode.Success;
    }

    private RunSummary Load(ParseResult parsed, Argument<string> argument)
    {
        (string file, string? name) = (parsed.GetRequiredValue(argument), parsed.GetValue(_machine));
        ImmutableArray<RunSummary> all = RunSummary.Load(file), found = [.. all.Where(run => name is null || run.Machine == name)];
        return found.Length == 1 ? found[0] : throw new UsageException(
            $"{file}: found runs on {string.Join(" and ", all.Select(run => run.Machine))}, expected one{(name is null ? "" : $" on {name}")}; say which with --machine.");
    }
}
