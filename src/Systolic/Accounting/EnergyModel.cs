using Systolic.Units;

namespace Systolic.Accounting;

/// <summary>What prices a machine's activity: process node, machine class, and the power that flows whatever is counted.</summary>
/// <param name="NodeNanometres">Process node in nm; selects rows of the energy reference table.</param>
/// <param name="MachineClass">"systolic" or "simt"; rows may hold for one class only.</param>
/// <param name="Idle">Power with no work at all: leakage and standby, main memory's included.</param>
/// <param name="Active">Power added while a run is in progress: clock tree and ungated logic.</param>
public sealed record EnergyModel(int NodeNanometres, string MachineClass, Power Idle, Power Active)
{
    /// <summary>The part of <see cref="Idle"/> that main memory draws: standby of the stacks, their base dies and interfaces.</summary>
    public Power MemoryBackground { get; init; }

    /// <summary>The power that the board holds on average by lowering clock and voltage; null without such a control.</summary>
    public Power? Cap { get; init; }

    /// <summary>Gating of engines that wait; null where none is modelled.</summary>
    public EngineGating? Gating { get; init; }

    /// <summary>No source states <see cref="Idle"/>.</summary>
    public bool IdleIsAssumed { get; init; }

    /// <summary>No source states <see cref="Active"/>.</summary>
    public bool ActiveIsAssumed { get; init; }
}

/// <summary>Power that idle engines save. An engine idles whenever it is not busy; switching costs no time and no energy.</summary>
/// <param name="ClockShare">Share of the active power that stops when all engines idle: their clock trees.</param>
/// <param name="PowerShare">Share of the idle power, memory's left out, that stops when all engines idle: their leakage.</param>
public sealed record EngineGating(double ClockShare, double PowerShare);
