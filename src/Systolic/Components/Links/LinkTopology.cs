namespace Systolic.Components;

/// <summary>How the links of a level connect its chips.</summary>
public enum LinkTopology
{
    /// <summary>Every chip with two neighbours.</summary>
    Ring,

    /// <summary>A square of rings in two dimensions.</summary>
    Torus,

    /// <summary>Every chip with every other through switches.</summary>
    Switch,
}
