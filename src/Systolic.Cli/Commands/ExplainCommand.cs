using System.CommandLine;
using Systolic.Cli.Output;
using Systolic.Cli.Rendering;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Workloads;

namespace Systolic.Cli.Commands;

/// <summary>`systolic explain`: why a run takes as long as it does.</summary>
internal sealed class ExplainCommand : Command, IHasExamples
{
    private readonly Terminal _terminal;
    private readonly Library _library;
    private readonly WorkloadOptions _workload;
    private readonly OutputOptions _output = new();
    private readonly Option<string> _machine;
    private readonly Option<bool> _bounds = new("--bounds") { Description = "Do not simulate again with a part made free; bounds only." };
    private readonly Option<string?> _table = PricingOptions.TableOption();

    public ExplainCommand(Terminal terminal, Library library)
        : base("explain", "Tells why a run takes as long as it does: critical path, waits and their causes, what a faster part would gain.")
    {
        (_terminal, _library) = (terminal, library);
        _workload = new WorkloadOptions(library, orProduct: true);
        _workload.AddTo(this);
        _machine = SharedOptions.Machine("--machine", "A preset, or a machine file.", "trn2", library);
        Add(_machine);
        Add(_bounds);
        Add(_table);
        _output.AddTo(this);
        SetAction(RunAsync);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Examples { get; } =
    [
        "systolic explain --model llama-3-8b --machine trn2 --layers 1 --tokens 2048",
        "systolic explain --model llama-3-8b --machine h100 --phase decode --context 4096 --markdown why.md",
        "systolic explain --product 2048x4096x4096 --machine trn2-core --trace trace.json",
        "systolic explain --product 512x512x512 --machine ./my-chip.json --bounds",
    ];

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        OperatorGraph graph = _workload.Build(parsed);
        IMachine machine = _library.LoadMachine(parsed.GetRequiredValue(_machine));
        using OutputFiles files = _output.Open(parsed);
        RunOptions options = _workload.Options(parsed) with { CollectSpans = true, Prices = PricingOptions.Read(parsed.GetValue(_table)) };
        RunReport report = await BackgroundRun.RunAsync(machine, graph, options, _terminal, cancellation);
        var freed = new Dictionary<MachinePart, RunReport>();
        if (!parsed.GetValue(_bounds))
        {
            foreach ((MachinePart part, IMachine without) in FreedMachine.Each(machine))
            {
                freed.Add(part, await BackgroundRun.RunAsync(without, graph, options with { CollectSpans = false }, _terminal, cancellation));
            }
        }

        var explanation = Explanation.Of(report, freed);
        files.Write(explanation, _terminal.Error);
        new ExplanationView(_terminal.Results).Show(explanation);
        return ExitCode.Success;
    }
}
