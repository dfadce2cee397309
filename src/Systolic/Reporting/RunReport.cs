using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Reporting;

/// <summary>The figures of one workload on one machine, all derived from its trace.</summary>
/// <remarks>
/// Utilization and the flops and bandwidth shares follow the definitions of the Neuron profiler. Derived figures are computed once, when the
/// report is made; equality is that of machine, trace, prices and workload.
/// </remarks>
public sealed record RunReport
{
    private RunReport(MachineProfile machine, RunTrace trace, EnergyReferenceTable prices)
    {
        (Machine, Trace, Prices) = (machine, trace, prices);
        CycleStack = trace.Stack;
        Time = CycleStack.Total;
        Counts = trace.Counts;
        TotalCycles = machine.Clock.EdgeAtOrAfter(Time);
        Utilization = EngineUtilization.Of(trace, Time);
        TensorUtilization = EngineUtilization.Find(Utilization, machine);
        Hfu = MatrixPeak.SecondsAtPeak(machine, Counts) / Time.Seconds;
        Mfu = MatrixPeak.UsefulSecondsAtPeak(machine, trace) / Time.Seconds;
        Mbu = Counts.DramBytes / (machine.MainMemory.BytesPerSecond * Time.Seconds);
        Traffic = LevelTraffic.Of(Counts);
        Operators = [.. trace.Operators.Select(run => OperatorReport.Of(run, trace, machine, prices))];
        EnergyBreakdown = EnergyBreakdown.Sum(
            [.. Operators.Select(op => (op.EnergyBreakdown, op.Run.Repeat)), (prices.Price(new ActivityCounts(), trace.Overhead.Total, machine.Energy, idleShare: 1), 1)]);
    }

    /// <summary>The machine's facts.</summary>
    public MachineProfile Machine { get; }

    /// <summary>What the machine recorded.</summary>
    public RunTrace Trace { get; }

    /// <summary>Energy per activity.</summary>
    public EnergyReferenceTable Prices { get; }

    /// <summary>The workload's name, such as "llama-3-8b".</summary>
    public required string Model { get; init; }

    /// <summary>The workload's phase, such as "prefill 2048 tokens, batch 1".</summary>
    public required string Phase { get; init; }

    /// <summary>Tokens that the run produced or consumed.</summary>
    public required long Tokens { get; init; }

    /// <summary>Duration of the run on the device; host time is not modelled.</summary>
    public SimTime Time { get; }

    /// <summary><see cref="Time"/> in cycles of the machine's clock, a part of a cycle counted whole.</summary>
    public Cycles TotalCycles { get; }

    /// <summary>The least time that arithmetic and compulsory traffic allow.</summary>
    public LowerBound LowerBound => Trace.Bound;

    /// <summary>Where the time went; the parts sum to <see cref="Time"/>.</summary>
    public CycleStack CycleStack { get; }

    /// <summary>Events and bytes of the run.</summary>
    public ActivityCounts Counts { get; }

    /// <summary>Busy share of each engine: busy time over instances times duration, waits excluded.</summary>
    public ImmutableArray<EngineUtilization> Utilization { get; }

    /// <summary>Busy share of the matrix unit, whether or not its cells were filled.</summary>
    public double TensorUtilization { get; }

    /// <summary>Model flops utilization: the multiply-accumulates that results need, over what the matrix units could do in the run's time.</summary>
    /// <remarks>An operator's useful work is taken at the peak of the type of which it counted most multiply-accumulates.</remarks>
    public double Mfu { get; }

    /// <summary>Hardware flops utilization: like <see cref="Mfu"/>, of all counted multiply-accumulates, transposes and recomputation included.</summary>
    public double Hfu { get; }

    /// <summary>Memory bandwidth utilization: bytes of main memory over what its peak bandwidth could move in the run's time.</summary>
    public double Mbu { get; }

    /// <summary>Bytes moved per memory level; levels without traffic are left out.</summary>
    public ImmutableArray<LevelTraffic> Traffic { get; }

    /// <summary>Energy by component, idle and active power included.</summary>
    public EnergyBreakdown EnergyBreakdown { get; }

    /// <summary>Energy of the run.</summary>
    public Energy Energy => EnergyBreakdown.Total;

    /// <summary>Average power over the run.</summary>
    public Power Power => Energy.Over(Time);

    /// <summary>Energy times duration in joule seconds: lower is better on both counts.</summary>
    public double EnergyDelayProduct => Energy.Joules * Time.Seconds;

    /// <summary>Tokens per second of simulated time.</summary>
    public double TokensPerSecond => Tokens / Time.Seconds;

    /// <summary>Energy divided by tokens.</summary>
    public Energy EnergyPerToken => Energy * (1.0 / Tokens);

    /// <summary>Energy over the FLOPs that results need; not a number when none do.</summary>
    public Energy EnergyPerFlop => Energy * (1 / UsefulFlops);

    /// <summary>Useful FLOP per joule: FLOP per second and watt.</summary>
    public double FlopsPerJoule => UsefulFlops / Energy.Joules;

    /// <summary>FLOPs that results need.</summary>
    public double UsefulFlops => Trace.Operators.Sum(run => run.UsefulMacs.Flops * run.Repeat);

    /// <summary>What the workload holds in main memory; null when unknown.</summary>
    public MemoryFootprint? Memory { get; init; }

    /// <summary>What chip and energy cost; null unless given.</summary>
    public RunningCost? Cost { get; init; }

    /// <summary>Cost of a million tokens; null without prices.</summary>
    public double? CostPerMillionTokens => Cost?.Of(Time, Energy) * 1e6 / Tokens;

    /// <summary>The most scratchpad bytes that any operator held at once on one core.</summary>
    public Bytes ScratchpadHighWater => Trace.Operators.Aggregate(Bytes.Zero, (most, run) => Bytes.Max(most, run.ScratchpadHighWater));

    /// <summary>The operators in execution order, priced.</summary>
    public ImmutableArray<OperatorReport> Operators { get; }

    /// <summary><see cref="TotalCycles"/> divided over the components of <see cref="CycleStack"/>; sums to it exactly.</summary>
    public ImmutableArray<ComponentCycles> CyclesByComponent => ComponentCycles.Divide(CycleStack, TotalCycles);

    /// <summary>Derives a report from a trace.</summary>
    /// <param name="machine">The machine's facts.</param>
    /// <param name="trace">What the machine recorded.</param>
    /// <param name="model">The workload's name.</param>
    /// <param name="phase">The workload's phase.</param>
    /// <param name="tokens">Tokens that the run produced or consumed.</param>
    /// <param name="prices">Energy per activity; the shipped table when null.</param>
    /// <exception cref="KeyNotFoundException">The table has no row for an activity that was counted.</exception>
    /// <exception cref="ArgumentException">The trace took no time, tokens are not positive, or the profile lacks an engine or a peak that the trace needs.</exception>
    public static RunReport From(MachineProfile machine, RunTrace trace, string model, string phase, long tokens, EnergyReferenceTable? prices = null)
    {
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(trace);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokens);
        if (trace.Time <= SimTime.Zero)
        {
            throw new ArgumentException($"The run of {model} ({phase}) on {machine.Name} took no time: a trace needs an operator or an overhead.", nameof(trace));
        }

        return new(machine, trace, prices ?? EnergyReferenceTable.Default) { Model = model, Phase = phase, Tokens = tokens };
    }

    /// <inheritdoc/>
    public bool Equals(RunReport? other) =>
        other is not null && (Machine, Trace, Prices, Model, Phase, Tokens) == (other.Machine, other.Trace, other.Prices, other.Model, other.Phase, other.Tokens);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Machine, Trace, Model, Phase, Tokens);
}
