using Systolic.Units;

namespace Systolic.Accounting;

/// <summary>What prices a machine's activity: process node, machine class, and the power that flows whatever is counted.</summary>
/// <param name="NodeNanometres">Process node in nm; selects rows of the energy reference table.</param>
/// <param name="MachineClass">"systolic" or "simt"; rows may hold for one class only.</param>
/// <param name="Idle">Power with no work at all: leakage, refresh, standby.</param>
/// <param name="Active">Power added while a run is in progress: clock tree and ungated logic.</param>
public sealed record EnergyModel(int NodeNanometres, string MachineClass, Power Idle, Power Active);
