namespace Systolic.Components;

/// <summary>What lane 0 of an edge takes in one cycle: an element of a fold, or nothing.</summary>
internal readonly record struct Slot(int Fold, int Step)
{
    public static Slot None => new(-1, 0);

    public bool IsNone => Fold < 0;
}
