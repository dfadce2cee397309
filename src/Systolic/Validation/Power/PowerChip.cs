using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Reporting;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>A chip whose power is published: a machine of the library, or one whose counts stand for it with powers, cap, peak and node of its own.</summary>
internal sealed class PowerChip
{
    private static readonly ImmutableArray<string> Columns = ["chip", "machine", "node_nm", "idle_w", "active_w", "cap_w", "peak_tflops", "source"];
    private readonly Dictionary<string, RunReport> _runs = new(StringComparer.Ordinal);
    private readonly Lazy<IMachine> _machine;
    private readonly EnergyModel? _powers;
    private readonly double? _peak;

    private PowerChip(CsvRow row)
    {
        (Name, string machine) = (row.Text("chip"), row.Text("machine"));
        _machine = new(() => MachinePresets.Load(machine));
        if (row.Optional("node_nm").Length > 0)
        {
            _powers = new EnergyModel((int)row.Integer("node_nm", 1, 1000), "", Power.FromWatts(row.Number("idle_w", 0, 1e4)), Power.FromWatts(row.Number("active_w", 0, 1e4)))
            {
                Cap = row.Optional("cap_w").Length == 0 ? null : Power.FromWatts(row.Number("cap_w", 0, 1e4)),
            };
            _peak = row.Number("peak_tflops", 0, 1e6) * 1e12;
        }
    }

    /// <summary>The name in the list of chips.</summary>
    public string Name { get; }

    /// <summary>Another machine's counts stand for it.</summary>
    public bool Stands => _powers is not null;

    /// <summary>Node, class, powers and cap.</summary>
    public EnergyModel Energy => _powers is null ? Machine.Profile.Energy : _powers with { MachineClass = Machine.Profile.Energy.MachineClass };

    /// <summary>Dense bf16 FLOP per second at peak.</summary>
    public double Peak => _peak ?? 2 * Machine.Profile.PeakMacsPerSecond[DataType.Bf16];

    /// <summary>The machine that counts.</summary>
    public IMachine Machine => _machine.Value;

    /// <summary>All chips; the first whose name begins a chip of a file is meant.</summary>
    public static ImmutableArray<PowerChip> All() => PublishedTable.Load("power-chips.csv", Columns, row => new PowerChip(row));

    /// <summary>What was counted in a workload, priced by this chip's node and powers without the cap; each workload runs once.</summary>
    public RunReport Run(string key, Func<OperatorGraph> graph, CancellationToken cancellation)
    {
        if (!_runs.TryGetValue(key, out RunReport? report))
        {
            RunReport run = Machine.Run(graph(), new RunOptions { IgnoreCapacity = true }, cancellation: cancellation);
            MachineProfile profile = run.Machine with { Energy = Energy with { Cap = null } };
            _runs[key] = report = RunReport.From(profile, run.Trace, run.Model, run.Phase, run.Tokens);
        }

        return report;
    }

    /// <summary>Energy of what was counted, idle and active power left out.</summary>
    public static double CountedJoules(RunReport report) => report.EnergyBreakdown.Parts.Where(IsCounted).Sum(part => part.Value.Joules);

    /// <summary>Not a power.</summary>
    public static bool IsCounted(EnergyPart part) => part.Component is not (EnergyBreakdown.Idle or EnergyBreakdown.ActiveClocking or EnergyBreakdown.MemoryBackground);

    /// <summary>Watts with counted energy per second <paramref name="counted"/>, the cap held.</summary>
    public double Watts(double counted) => Math.Min(Energy.Cap?.Watts ?? double.PositiveInfinity, Energy.Idle.Watts + Energy.Active.Watts + counted);
}
