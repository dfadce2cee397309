namespace Systolic.Components;

/// <summary>A command must wait for an earlier one: a row of a timing table.</summary>
/// <param name="Scope">Where both are.</param>
/// <param name="Before">The earlier command.</param>
/// <param name="After">The one that waits.</param>
/// <param name="Ticks">From the first tick of the one to the first tick of the other.</param>
/// <param name="Window">Counts from the latest (1) or the fourth latest (4) such command.</param>
public readonly record struct DramConstraint(DramScope Scope, DramCommand Before, DramCommand After, int Ticks, int Window = 1);
