using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Accounting;

/// <summary>Energy of every countable activity per process node and class of machine, each row with its range, source and confidence.</summary>
/// <remarks>
/// Nodes of the shipped table: 16, 7, 5 and 3 nm for class "systolic", 16, 7 and 5 nm for class "simt"; chips made on 12 nm class
/// nodes are priced with the 16 nm rows. Energies are those of a component (operator, registers, local wires, port), not of a bare circuit.
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

    /// <summary>The row for exactly this node, of this class if there is one, else of class "any".</summary>
    /// <exception cref="KeyNotFoundException">There is none; the message names the row to add.</exception>
    public EnergyRow Row(ActivityKind activity, int nodeNanometres, string machineClass) =>
        _rows.GetValueOrDefault((activity, nodeNanometres, machineClass))
        ?? _rows.GetValueOrDefault((activity, nodeNanometres, AnyClass))
        ?? throw Missing(activity, nodeNanometres, machineClass);

    /// <summary>The energy of a run: count times row for each activity, and the model's powers over the run's time.</summary>
    /// <exception cref="KeyNotFoundException">A counted activity has no row; it is never priced at zero.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative.</exception>
    public EnergyBreakdown Price(ActivityCounts counts, SimTime time, EnergyModel model)
    {
        ArgumentNullException.ThrowIfNull(counts);
        ArgumentNullException.ThrowIfNull(model);
        ImmutableArray<EnergyPart>.Builder parts = ImmutableArray.CreateBuilder<EnergyPart>();
        for (int i = 0; i < ActivityKinds.Count; i++)
        {
            if (counts[(ActivityKind)i] != 0)
            {
                AddTo(parts, Price((ActivityKind)i, counts[(ActivityKind)i], model));
            }
        }

        parts.Add(Constant("idle", model.Idle.Over(time)));
        parts.Add(Constant("active clocking", model.Active.Over(time)));
        return new EnergyBreakdown(parts.ToImmutable());
    }

    private EnergyPart Price(ActivityKind activity, long count, EnergyModel model)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count, activity.ToString());
        EnergyRow row = Row(activity, model.NodeNanometres, model.MachineClass);
        return new EnergyPart(activity.Component(), row.Value * count, row.Low * count, row.High * count);
    }

    // Kinds of one component are neighbours in the enum.
    private static void AddTo(ImmutableArray<EnergyPart>.Builder parts, EnergyPart part)
    {
        if (parts.Count > 0 && parts[^1] is { } last && last.Component == part.Component)
        {
            parts[^1] = new EnergyPart(part.Component, last.Value + part.Value, last.Low + part.Low, last.High + part.High);
        }
        else
        {
            parts.Add(part);
        }
    }

    private static EnergyPart Constant(string component, Energy energy) => new(component, energy, energy, energy);

    private KeyNotFoundException Missing(ActivityKind activity, int nodeNanometres, string machineClass)
    {
        string present = string.Join(", ", Rows.Where(row => row.Activity == activity).Select(row => FormattableString.Invariant($"{row.NodeNanometres} nm {row.MachineClass}")));
        return new KeyNotFoundException(FormattableString.Invariant(
            $"{_file}: found no row for {activity} at {nodeNanometres} nm on a {machineClass} machine, only: {(present.Length > 0 ? present : "none")}. Add \"{activity},{nodeNanometres},{machineClass},<pJ>,<low>,<high>,<confidence>,<source>,<notes>\"."));
    }

    private static EnergyReferenceTable ReadShipped()
    {
        const string Name = "Accounting/energy-table.csv";
        using Stream stream = typeof(EnergyReferenceTable).Assembly.GetManifestResourceStream(Name)
            ?? throw new InvalidOperationException($"The assembly lacks its resource {Name}.");
        using var reader = new StreamReader(stream);
        return Read(reader.ReadToEnd(), "energy-table.csv");
    }
}
