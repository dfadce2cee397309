using Systolic.Units;

namespace Systolic.Accounting;

/// <summary>How far an energy is to be trusted: what kind of statement its source makes.</summary>
public enum EnergyConfidence
{
    /// <summary>Measured on silicon.</summary>
    Measured,

    /// <summary>Stated in a publication or data sheet.</summary>
    Published,

    /// <summary>Computed from measured or published figures; the notes say how.</summary>
    Derived,

    /// <summary>No figure supports it directly; the notes say what was assumed.</summary>
    Assumed,
}

/// <summary>The energy of one activity on one process node and one class of machine.</summary>
/// <param name="Activity">What is counted.</param>
/// <param name="NodeNanometres">Process node in nm.</param>
/// <param name="MachineClass">"systolic", "simt", or "any" for both.</param>
/// <param name="Value">Energy of one count.</param>
/// <param name="Low">Lower end of the plausible range of <paramref name="Value"/>.</param>
/// <param name="High">Upper end of the plausible range of <paramref name="Value"/>.</param>
/// <param name="Confidence">What kind of statement the source makes.</param>
/// <param name="Source">Where the figure comes from.</param>
/// <param name="Notes">What it means, how it was scaled, and how wide its range is; may be empty.</param>
public sealed record EnergyRow(
    ActivityKind Activity,
    int NodeNanometres,
    string MachineClass,
    Energy Value,
    Energy Low,
    Energy High,
    EnergyConfidence Confidence,
    string Source,
    string Notes);
