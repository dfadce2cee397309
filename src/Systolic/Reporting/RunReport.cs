using Systolic.Accounting;

namespace Systolic.Reporting;

/// <summary>The figures of one workload on one machine, all derived from its trace.</summary>
public sealed record RunReport
{
    private RunReport(MachineProfile machine, RunTrace trace) => (Machine, Trace) = (machine, trace);

    /// <summary>The machine's facts.</summary>
    public MachineProfile Machine { get; }

    /// <summary>What the machine recorded.</summary>
    public RunTrace Trace { get; }

    /// <summary>The workload's name, such as "llama-3-8b".</summary>
    public required string Model { get; init; }

    /// <summary>The workload's phase, such as "prefill 2048 tokens, batch 1".</summary>
    public required string Phase { get; init; }

    /// <summary>Tokens that the run produced or consumed.</summary>
    public required long Tokens { get; init; }

    /// <summary>Derives a report from a trace.</summary>
    public static RunReport From(MachineProfile machine, RunTrace trace, string model, string phase, long tokens) =>
        new(machine, trace) { Model = model, Phase = phase, Tokens = tokens };
}
