using System.CommandLine;
using Systolic.Cli.Output;
using Systolic.Cli.Rendering;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Workloads;

namespace Systolic.Cli.Commands;

/// <summary>`systolic compare`: a model on a machine and on a baseline.</summary>
internal sealed class CompareCommand : Command, IHasExamples
{
    private readonly Terminal _terminal;
    private readonly Library _library;
    private readonly WorkloadOptions _workload;
    private readonly OutputOptions _output = new();
    private readonly MappingsOption _mappings = new();
    private readonly ParallelOptions _parallel = new();
    private readonly PricingOptions _pricing = new();
    private readonly Option<string> _machine;
    private readonly Option<string> _baseline;

    public CompareCommand(Terminal terminal, Library library)
        : base("compare", "Runs a transformer model on a machine and on a baseline, side by side.")
    {
        (_terminal, _library) = (terminal, library);
        _workload = new WorkloadOptions(library);
        _workload.AddTo(this);
        _machine = SharedOptions.Machine("--machine", "A preset, or a machine file.", "trn2", library);
        _baseline = SharedOptions.Machine("--baseline", "The machine to hold it against.", "h100", library);
        Add(_machine);
        Add(_baseline);
        _parallel.AddTo(this, microBatches: false);
        _pricing.AddTo(this, baseline: true);
        _output.AddTo(this);
        Add(_mappings);
        SetAction(RunAsync);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Examples { get; } =
    [
        "systolic compare --model llama-3-8b --machine trn2 --baseline h100 --phase prefill --tokens 2048 --json out.json",
        "systolic compare --model llama-3-8b --phase decode --context 8192 --batch 16",
        "systolic compare --model bert-base --machine trn1 --baseline a100-40gb --phase training --tokens 128 --batch 32",
        "systolic compare --model llama-3-70b --phase decode --chips 8 --tensor-parallel 8",
        "systolic compare --model llama-3-8b --machine ./wider-chip.json --baseline trn2",
    ];

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        ParallelPlan plan = _parallel.Plan(parsed);
        OperatorGraph graph = _workload.Build(parsed, plan);
        IMachine machine = ParallelOptions.Divide(_library.LoadMachine(parsed.GetRequiredValue(_machine)), plan, graph);
        IMachine baseline = ParallelOptions.Divide(_library.LoadMachine(parsed.GetRequiredValue(_baseline)), plan, graph);
        using OutputFiles files = _output.Open(parsed);
        using MappingsFile mappings = _mappings.Open(parsed);
        RunOptions options = _workload.Options(parsed) with { Mappings = mappings.Mappings, CollectSpans = files.Trace is not null, Prices = _pricing.Table(parsed) };
        var comparison = Comparison.Of(
            await BackgroundRun.RunAsync(machine, graph, options, _terminal, cancellation) with { Cost = _pricing.Cost(parsed) },
            await BackgroundRun.RunAsync(baseline, graph, options, _terminal, cancellation) with { Cost = _pricing.BaselineCost(parsed) });
        mappings.Write();
        files.Write(comparison, _terminal.Error);
        new ReportView(_terminal.Results).Show(comparison);
        return ExitCode.Success;
    }
}
