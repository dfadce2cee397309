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
    private static readonly ImmutableArray<CsvRow> Chips = Load();

    private readonly Dictionary<string, RunReport> _runs = new(StringComparer.Ordinal);
    private readonly Lazy<IMachine> _machine;
    private readonly Lazy<EnergyModel> _energy;
    private readonly Lazy<double> _peak;

    private PowerChip(CsvRow row)
    {
        Name = row.Text("chip");
        _machine = new(() => MachinePresets.Load(row.Text("machine")));
        Stands = row.Optional("node_nm").Length > 0;
        _energy = new(() => Stands ? Powers(row) : _machine.Value.Profile.Energy);
        _peak = new(() => Stands ? row.Number("peak_tflops", 0, 1e6) * 1e12 : 2 * _machine.Value.Profile.PeakMacsPerSecond[DataType.Bf16]);
    }

    /// <summary>The name in the list of chips.</summary>
    public string Name { get; }

    /// <summary>Another machine's counts stand for it.</summary>
    public bool Stands { get; }

    /// <summary>Node, class, powers and cap.</summary>
    public EnergyModel Energy => _energy.Value;

    /// <summary>Dense bf16 FLOP per second at peak.</summary>
    public double Peak => _peak.Value;

    /// <summary>The machine that counts.</summary>
    public IMachine Machine => _machine.Value;

    /// <summary>All chips; the first whose name begins a chip of a file is meant.</summary>
    public static ImmutableArray<PowerChip> All() => [.. Chips.Select(row => new PowerChip(row))];

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

    private static EnergyModel Powers(CsvRow row)
    {
        string machineClass = MachinePresets.Load(row.Text("machine")).Profile.Energy.MachineClass;
        return new EnergyModel((int)row.Integer("node_nm", 1, 1000), machineClass, Power.FromWatts(row.Number("idle_w", 0, 1e4)), Power.FromWatts(row.Number("active_w", 0, 1e4)))
        {
            Cap = row.Optional("cap_w").Length == 0 ? null : Power.FromWatts(row.Number("cap_w", 0, 1e4)),
        };
    }

    private static ImmutableArray<CsvRow> Load()
    {
        var table = CsvTable.Parse(DocumentText.ReadEmbedded("Validation/power-chips.csv"), "power-chips.csv", Columns);
        table.Finish();
        return table.Rows;
    }
}
