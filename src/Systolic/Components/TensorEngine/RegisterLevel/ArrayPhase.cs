namespace Systolic.Components;

/// <summary>What a cycle of the array counts as; the parts of <see cref="TileCost"/>.</summary>
public enum ArrayPhase
{
    /// <summary>Nothing can enter until the stationary tile is in place.</summary>
    Load,

    /// <summary>An element enters before the first has reached the far corner.</summary>
    Fill,

    /// <summary>An element enters; all cells have work.</summary>
    Steady,

    /// <summary>Nothing enters; elements or results are on their way out.</summary>
    Drain,
}
