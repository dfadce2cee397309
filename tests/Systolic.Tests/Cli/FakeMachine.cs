using Systolic.Accounting;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Tests.Reporting;
using Systolic.Workloads;

namespace Systolic.Tests.Cli;

/// <summary>A machine whose run is written by hand.</summary>
internal sealed class FakeMachine(MachineProfile profile, Action<CancellationToken>? run = null) : IMachine
{
    public MachineProfile Profile => profile;

    public RunReport Run(OperatorGraph graph, RunOptions? options = null, IProgress<RunProgress>? progress = null, CancellationToken cancellation = default)
    {
        run?.Invoke(cancellation);
        progress?.Report(new RunProgress(1, 1, graph.Name));
        RunTrace trace = SyntheticRun.Trace with { Spans = options?.CollectSpans == true ? SyntheticRun.Trace.Spans : [] };
        return RunReport.From(profile, trace, graph.Name, graph.Phase, graph.Tokens, SyntheticRun.Prices);
    }
}
