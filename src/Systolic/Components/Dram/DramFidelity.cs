namespace Systolic.Components;

/// <summary>Which of two equal implementations runs.</summary>
public enum DramFidelity
{
    /// <summary>From event to event.</summary>
    Fast,

    /// <summary>Tick by tick over plain lists: the definition of the rules.</summary>
    Reference,
}
