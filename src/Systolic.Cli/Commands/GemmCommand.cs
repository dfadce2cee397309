using System.CommandLine;
using Systolic.Cli.Output;
using Systolic.Cli.Rendering;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Reporting;
using Systolic.Workloads;

namespace Systolic.Cli.Commands;

/// <summary>`systolic gemm M K N`: one matrix product.</summary>
internal sealed class GemmCommand : Command, IHasExamples
{
    private readonly Terminal _terminal;
    private readonly Library _library;
    private readonly Argument<long> _m = SharedOptions.SizeArgument("M", "Output rows.");
    private readonly Argument<long> _k = SharedOptions.SizeArgument("K", "Contraction.");
    private readonly Argument<long> _n = SharedOptions.SizeArgument("N", "Output columns.");
    private readonly Option<DataType> _type = SharedOptions.MatrixType();
    private readonly Option<string> _machine;
    private readonly Option<string?> _baseline = new("--baseline") { Description = "A machine to hold it against.", HelpName = "NAME|FILE" };
    private readonly Option<string?> _table = PricingOptions.TableOption();
    private readonly OutputOptions _output = new();
    private readonly MappingsOption _mappings = new();

    public GemmCommand(Terminal terminal, Library library)
        : base("gemm", "Runs one matrix product, M x K times K x N.")
    {
        (_terminal, _library) = (terminal, library);
        _machine = SharedOptions.Machine("--machine", "A preset, or a machine file.", "trn2", library);
        _baseline.CompletionSources.Add([.. library.MachineNames]);
        Add(_m);
        Add(_k);
        Add(_n);
        Add(_type);
        Add(_machine);
        Add(_baseline);
        Add(_table);
        _output.AddTo(this);
        Add(_mappings);
        SetAction(RunAsync);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Examples { get; } =
    [
        "systolic gemm 4096 4096 4096",
        "systolic gemm 2048 4096 14336 --machine trn2-core --dtype fp8",
        "systolic gemm 8192 8192 8192 --machine trn2 --baseline h100",
    ];

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        OperatorGraph graph = WorkloadOptions.Product(parsed.GetValue(_m), parsed.GetValue(_k), parsed.GetValue(_n), parsed.GetValue(_type));
        IMachine machine = _library.LoadMachine(parsed.GetRequiredValue(_machine));
        IMachine? baseline = parsed.GetValue(_baseline) is { } name ? _library.LoadMachine(name) : null;
        using OutputFiles files = _output.Open(parsed);
        var view = new ReportView(_terminal.Results);
        using MappingsFile mappings = _mappings.Open(parsed);
        var options = new RunOptions { Mappings = mappings.Mappings, CollectSpans = files.Trace is not null, Prices = PricingOptions.Read(parsed.GetValue(_table)) };
        RunReport report = await BackgroundRun.RunAsync(machine, graph, options, _terminal, cancellation);
        if (baseline is null)
        {
            mappings.Write();
            files.Write(report, _terminal.Error);
            view.Show(report);
            return ExitCode.Success;
        }

        var comparison = Comparison.Of(report, await BackgroundRun.RunAsync(baseline, graph, options, _terminal, cancellation));
        mappings.Write();
        files.Write(comparison, _terminal.Error);
        view.Show(comparison);
        return ExitCode.Success;
    }
}
