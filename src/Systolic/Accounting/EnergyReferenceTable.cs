using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Accounting;

/// <summary>Energy of every countable activity per process node and class of machine, each row with its range, source and confidence.</summary>
/// <remarks>
/// Nodes of the shipped table: 16, 7, 5 and 3 nm for class "systolic", 16, 7 and 5 nm for class "simt"; chips made on 12 nm class
/// nodes are priced with the 16 nm rows. Other nodes (45, 28 nm) are reached from 7 nm by measured ratios (<see cref="NodeScaling"/>). Energies are those of a component (operator, registers, local wires, port), not of a bare circuit.
/// </remarks>
public sealed class EnergyReferenceTable
{
    private const string AnyClass = "any";
    private readonly Dictionary<(ActivityKind, int, string), EnergyRow> _rows = [];
    private readonly string _file;

    private EnergyReferenceTable(ImmutableArray<EnergyRow> rows, string file)
    {
        (Rows, _file) = (rows, file);
        foreach (EnergyRow row in rows)
        {
            _rows.Add((row.Activity, row.NodeNanometres, row.MachineClass), row);
        }
    }

    /// <summary>The table shipped with the library.</summary>
    public static EnergyReferenceTable Default { get; } = ReadShipped();

    /// <summary>All rows in file order.</summary>
    public ImmutableArray<EnergyRow> Rows { get; }

    /// <summary>Reads a table from CSV with the header "activity,node_nm,machine,energy_pj,low_pj,high_pj,confidence,source,notes".</summary>
    /// <param name="csv">The text, RFC 4180.</param>
    /// <param name="file">Its name in messages.</param>
    /// <exception cref="InvalidDocumentException">The text is not such a table; the message lists every problem with line and column.</exception>
    public static EnergyReferenceTable Read(string csv, string file) => new(EnergyTableReader.Read(csv, file), file);

    /// <summary>Reads a table from a CSV file.</summary>
    /// <exception cref="InvalidDocumentException">The file cannot be read or is no such table.</exception>
    public static EnergyReferenceTable Load(string file) => Read(DocumentText.Read(file), file);

    /// <summary>This table with the rows of another in place of its own: rows of the same activity, node and class replace, others are added.</summary>
    public EnergyReferenceTable Extend(EnergyReferenceTable other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return new([.. Rows.Where(row => !other._rows.ContainsKey((row.Activity, row.NodeNanometres, row.MachineClass))), .. other.Rows], other._file);
    }

    /// <summary>The row for this node, of this class if there is one, else of class "any"; without one, the 7 nm row times the node factor of its family.</summary>
    /// <exception cref="KeyNotFoundException">There is neither; the message names the row to add.</exception>
    public EnergyRow Row(ActivityKind activity, int nodeNanometres, string machineClass) =>
        Find(activity, nodeNanometres, machineClass)
        ?? (Find(activity, NodeScaling.Base, machineClass) is { } row ? NodeScaling.Scale(row, nodeNanometres) : null)
        ?? throw Missing(activity, nodeNanometres, machineClass);

    /// <summary>Nodes with prices, in nm: those of the rows and those that node factors reach.</summary>
    public ImmutableArray<int> Nodes(string machineClass) =>
        [.. Rows.Where(row => row.MachineClass == machineClass).Select(row => row.NodeNanometres).Concat(NodeScaling.Nodes).Distinct().Order()];

    /// <summary>The energy of a run: count times row for each activity, and the model's powers over the run's time.</summary>
    /// <param name="counts">Events and bytes.</param>
    /// <param name="time">The duration.</param>
    /// <param name="model">Node, class and powers.</param>
    /// <param name="voltage">Energy of an event on chip over that at the rows' voltage; main memory and links keep theirs.</param>
    /// <param name="idleShare">Share of the time for which engines idle, for the gating of the model.</param>
    /// <remarks>Above the model's cap, what is counted on chip shrinks to the energy that the cap leaves: a board at its cap lowers its voltage until it holds it.</remarks>
    /// <exception cref="KeyNotFoundException">A counted activity has no row; it is never priced at zero.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative.</exception>
    public EnergyBreakdown Price(ActivityCounts counts, SimTime time, EnergyModel model, double voltage = 1, double idleShare = 0)
    {
        ArgumentNullException.ThrowIfNull(counts);
        ArgumentNullException.ThrowIfNull(model);
        var parts = new List<EnergyPart>();
        for (int i = 0; i < ActivityKinds.Count; i++)
        {
            if (counts[(ActivityKind)i] != 0)
            {
                AddTo(parts, Price((ActivityKind)i, counts[(ActivityKind)i], model, voltage));
            }
        }

        EnergyPart[] powers = [.. Powers(model, idleShare).Select(power => Constant(power.Component, power.Value.Over(time), power.Assumed))];
        return new EnergyBreakdown([.. model.Cap is { } cap ? Within(cap.Over(time), parts, powers) : parts, .. powers]);
    }

    private EnergyRow? Find(ActivityKind activity, int nodeNanometres, string machineClass) =>
        _rows.GetValueOrDefault((activity, nodeNanometres, machineClass)) ?? _rows.GetValueOrDefault((activity, nodeNanometres, AnyClass));

    private EnergyPart Price(ActivityKind activity, long count, EnergyModel model, double voltage)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count, activity.ToString());
        EnergyRow row = Row(activity, model.NodeNanometres, model.MachineClass);
        double factor = count * (activity.IsOffChip() ? 1 : voltage);
        return new EnergyPart(activity.Component(), row.Value * factor, row.Low * factor, row.High * factor)
        {
            Assumed = row.Confidence == EnergyConfidence.Assumed ? row.Value * factor : Energy.Zero,
        };
    }

    private static IEnumerable<(string Component, Power Value, bool Assumed)> Powers(EnergyModel model, double idleShare)
    {
        if (model.MemoryBackground > Power.Zero)
        {
            yield return (EnergyBreakdown.MemoryBackground, model.MemoryBackground, true);
        }

        double leaking = 1 - ((model.Gating?.PowerShare ?? 0) * idleShare), clocked = 1 - ((model.Gating?.ClockShare ?? 0) * idleShare);
        yield return (EnergyBreakdown.Idle, (model.Idle - model.MemoryBackground) * leaking, model.IdleIsAssumed);
        yield return (EnergyBreakdown.ActiveClocking, model.Active * clocked, model.ActiveIsAssumed);
    }

    private static IEnumerable<EnergyPart> Within(Energy most, List<EnergyPart> parts, EnergyPart[] powers)
    {
        Energy scalable = Sum(parts.Where(OnChip)), left = most - Sum(powers) - Sum(parts.Where(part => !OnChip(part)));
        double share = scalable > left && left > Energy.Zero ? left / scalable : 1;
        return parts.Select(part => OnChip(part) ? part.Times(share) : part);
    }

    private static Energy Sum(IEnumerable<EnergyPart> parts) => parts.Aggregate(Energy.Zero, (sum, part) => sum + part.Value);

    private static bool OnChip(EnergyPart part) => part.Component != ActivityKind.DramReadByte.Component() && part.Component != ActivityKind.LinkByte.Component();

    // Kinds of one component are neighbours in the enum.
    private static void AddTo(List<EnergyPart> parts, EnergyPart part)
    {
        if (parts.Count > 0 && parts[^1].Component == part.Component)
        {
            parts[^1] = parts[^1].Plus(part);
        }
        else
        {
            parts.Add(part);
        }
    }

    /// <summary>Assumed powers have the spread of idle power per die area of published accelerators, 0.065 to 0.15 W/mm2 about 0.1.</summary>
    private static EnergyPart Constant(string component, Energy energy, bool assumed) => assumed
        ? new(component, energy, energy * 0.65, energy * 1.5) { Assumed = energy }
        : new(component, energy, energy, energy);

    private KeyNotFoundException Missing(ActivityKind activity, int nodeNanometres, string machineClass)
    {
        string present = string.Join(", ", Rows.Where(row => row.Activity == activity).Select(row => FormattableString.Invariant($"{row.NodeNanometres} nm {row.MachineClass}")));
        return new KeyNotFoundException(FormattableString.Invariant(
            $"{_file}: found no row for {activity} at {nodeNanometres} nm on a {machineClass} machine, only: {(present.Length > 0 ? present : "none")}. Add \"{activity},{nodeNanometres},{machineClass},<pJ>,<low>,<high>,<confidence>,<source>,<notes>\"."));
    }

    private static EnergyReferenceTable ReadShipped() => Read(DocumentText.ReadEmbedded("Accounting/energy-table.csv"), "energy-table.csv");
}
