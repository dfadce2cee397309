using System.CommandLine;
using Systolic.Cli.Output;
using Systolic.Cli.Rendering;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Workloads;

namespace Systolic.Cli.Commands;

/// <summary>`systolic run`: a model on one machine.</summary>
internal sealed class RunCommand : Command, IHasExamples
{
    private readonly Terminal _terminal;
    private readonly Library _library;
    private readonly WorkloadOptions _workload;
    private readonly OutputOptions _output = new();
    private readonly MappingsOption _mappings = new();
    private readonly ParallelOptions _parallel = new();
    private readonly PricingOptions _pricing = new();
    private readonly Option<string> _machine;

    public RunCommand(Terminal terminal, Library library)
        : base("run", "Runs a transformer model on one machine.")
    {
        (_terminal, _library) = (terminal, library);
        _workload = new WorkloadOptions(library);
        _workload.AddTo(this);
        _machine = SharedOptions.Machine("--machine", "A preset, or a machine file.", "trn2", library);
        Add(_machine);
        _parallel.AddTo(this, microBatches: false);
        _pricing.AddTo(this, baseline: false);
        _output.AddTo(this);
        Add(_mappings);
        SetAction(RunAsync);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Examples { get; } =
    [
        "systolic run --model llama-3-8b --machine trn2 --tokens 2048",
        "systolic run --model llama-3-8b --machine h100 --phase decode --context 4096 --batch 8",
        "systolic run --model gpt2 --machine trn2-core --layers 1 --trace trace.json",
        "systolic run --model llama-3-8b --phase training --batch 8 --micro-batches 8 --recompute selective --ignore-capacity",
        "systolic run --model llama-3-8b --machine h100 --phase finetune --lora-rank 16 --lora-targets q_proj,v_proj",
        "systolic run --model llama-3-8b --phase decode --price-per-chip-hour 1.5 --price-per-kwh 0.1",
        "systolic run --model llama-3-70b --phase training --batch 256 --chips 64 --tensor-parallel 8 --pipeline 4 --micro-batches 16",
        "systolic run --onnx ./gpt2.onnx --dim batch=1 --dim seq=512 --machine trn2",
        "systolic run --model ./my-model/config.json --machine ./my-chip.json --json out.json",
    ];

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        ParallelPlan plan = _parallel.Plan(parsed);
        OperatorGraph graph = _workload.Build(parsed, plan);
        IMachine machine = ParallelOptions.Divide(_library.LoadMachine(parsed.GetRequiredValue(_machine)), plan, graph);
        using OutputFiles files = _output.Open(parsed);
        using MappingsFile mappings = _mappings.Open(parsed);
        RunOptions options = _workload.Options(parsed) with { Mappings = mappings.Mappings, CollectSpans = files.Trace is not null, Prices = _pricing.Table(parsed) };
        RunReport report = await BackgroundRun.RunAsync(machine, graph, options, _terminal, cancellation) with { Cost = _pricing.Cost(parsed) };
        mappings.Write();
        files.Write(report, _terminal.Error);
        new ReportView(_terminal.Results).Show(report);
        return ExitCode.Success;
    }
}
