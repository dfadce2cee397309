using System.Collections.Immutable;
using System.Reflection;
using BenchmarkDotNet.Analysers;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Order;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Validators;
using Systolic.Reporting;

namespace Systolic.BenchmarkDotNet;

/// <summary>Runs each benchmark once more in this process, for its report, which the process that measures cannot hand over.</summary>
internal sealed class SimulatedDiagnoser : IDiagnoser
{
    private readonly Dictionary<BenchmarkCase, RunReport?> _reports = [];
    private readonly List<string> _failures = [];
    private ImmutableArray<BenchmarkCase> _cases = [];

    public IEnumerable<string> Ids => [nameof(SimulatedDiagnoser)];

    public IEnumerable<IExporter> Exporters => [];

    public IEnumerable<IAnalyser> Analysers => [];

    public RunMode GetRunMode(BenchmarkCase benchmarkCase) => RunMode.NoOverhead;

    public void Handle(HostSignal signal, DiagnoserActionParameters parameters)
    {
    }

    /// <summary>Takes note of the benchmarks that are about to run, the baselines among them.</summary>
    public IEnumerable<ValidationError> Validate(ValidationParameters validationParameters)
    {
        _cases = [.. validationParameters.Benchmarks];
        return [];
    }

    public IEnumerable<Metric> ProcessResults(DiagnoserResults results) => MetricsOf(results.BenchmarkCase);

    /// <summary>The figures of one benchmark; none when it returns no report.</summary>
    public IEnumerable<Metric> MetricsOf(BenchmarkCase benchmark) => ReportOf(benchmark) is { } report
        ? [.. SimulatedFigure.All.Select(figure => figure.Of(report, ReportOf(BaselineOf(benchmark)))).OfType<Metric>()]
        : [];

    public void DisplayResults(ILogger logger) => _failures.ForEach(logger.WriteLineError);

    private BenchmarkCase? BaselineOf(BenchmarkCase benchmark)
    {
        IOrderer orderer = benchmark.Config.Orderer ?? DefaultOrderer.Instance;
        string? group = orderer.GetLogicalGroupKey(_cases, benchmark);
        return _cases.FirstOrDefault(other => (other.Descriptor.Baseline || other.Job.Meta.Baseline) && orderer.GetLogicalGroupKey(_cases, other) == group);
    }

    private RunReport? ReportOf(BenchmarkCase? benchmark)
    {
        if (benchmark is null || benchmark.Descriptor.WorkloadMethod.ReturnType != typeof(RunReport))
        {
            return null;
        }

        if (!_reports.TryGetValue(benchmark, out RunReport? report))
        {
            _reports.Add(benchmark, report = Run(benchmark));
        }

        return report;
    }

    private RunReport? Run(BenchmarkCase benchmark)
    {
        Descriptor descriptor = benchmark.Descriptor;
        try
        {
            object instance = Activator.CreateInstance(descriptor.Type)!;
            foreach (var parameter in benchmark.Parameters.Items.Where(item => !item.IsArgument))
            {
                const BindingFlags any = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.FlattenHierarchy;
                descriptor.Type.GetProperty(parameter.Name, any)?.SetValue(instance, parameter.Value);
                descriptor.Type.GetField(parameter.Name, any)?.SetValue(instance, parameter.Value);
            }

            Call(descriptor.GlobalSetupMethod, instance);
            Call(descriptor.IterationSetupMethod, instance);
            object? report = descriptor.WorkloadMethod.Invoke(instance, [.. benchmark.Parameters.Items.Where(item => item.IsArgument).Select(item => item.Value)]);
            Call(descriptor.IterationCleanupMethod, instance);
            Call(descriptor.GlobalCleanupMethod, instance);
            return (RunReport?)report;
        }
        catch (TargetInvocationException failed)
        {
            _failures.Add($"{benchmark.DisplayInfo}: no simulated figures: {failed.InnerException!.Message}");
            return null;
        }
    }

    // A setup may be asynchronous.
    private static void Call(MethodInfo? method, object instance) => (method?.Invoke(instance, null) as Task)?.GetAwaiter().GetResult();
}
