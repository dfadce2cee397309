namespace Systolic.Units;

/// <summary>A count of multiply-accumulate operations; one is two FLOPs.</summary>
/// <param name="Value">The count.</param>
public readonly record struct MacCount(long Value) : IComparable<MacCount>
{
    /// <summary>None.</summary>
    public static MacCount Zero => default;

    /// <summary>Floating-point operations: two per multiply-accumulate.</summary>
    public double Flops => 2.0 * Value;

    /// <summary>The count with its unit, invariant culture.</summary>
    public override string ToString() => Value.ToString("N0", System.Globalization.CultureInfo.InvariantCulture) + " MACs";

    /// <inheritdoc/>
    public int CompareTo(MacCount other) => Value.CompareTo(other.Value);

    /// <summary>Overflow-checked sum.</summary>
    public static MacCount operator +(MacCount left, MacCount right) => new(checked(left.Value + right.Value));

    /// <summary>Overflow-checked difference.</summary>
    public static MacCount operator -(MacCount left, MacCount right) => new(checked(left.Value - right.Value));

    /// <summary>Overflow-checked multiple.</summary>
    public static MacCount operator *(MacCount left, long factor) => new(checked(left.Value * factor));

    /// <summary>Less than.</summary>
    public static bool operator <(MacCount left, MacCount right) => left.Value < right.Value;

    /// <summary>Greater than.</summary>
    public static bool operator >(MacCount left, MacCount right) => left.Value > right.Value;

    /// <summary>At most.</summary>
    public static bool operator <=(MacCount left, MacCount right) => left.Value <= right.Value;

    /// <summary>At least.</summary>
    public static bool operator >=(MacCount left, MacCount right) => left.Value >= right.Value;

    /// <summary>The larger of two.</summary>
    public static MacCount Max(MacCount left, MacCount right) => left >= right ? left : right;

    /// <summary>The smaller of two.</summary>
    public static MacCount Min(MacCount left, MacCount right) => left <= right ? left : right;
}
