namespace Systolic.Units;

/// <summary>A count of cycles in one clock domain. Only a <see cref="Clock"/> turns it into time.</summary>
/// <param name="Value">The count.</param>
public readonly record struct Cycles(long Value) : IComparable<Cycles>
{
    /// <summary>None.</summary>
    public static Cycles Zero => default;

    /// <summary>The count with its unit, invariant culture.</summary>
    public override string ToString() => Value.ToString("N0", System.Globalization.CultureInfo.InvariantCulture) + " cycles";

    /// <inheritdoc/>
    public int CompareTo(Cycles other) => Value.CompareTo(other.Value);

    /// <summary>Overflow-checked sum.</summary>
    public static Cycles operator +(Cycles left, Cycles right) => new(checked(left.Value + right.Value));

    /// <summary>Overflow-checked difference.</summary>
    public static Cycles operator -(Cycles left, Cycles right) => new(checked(left.Value - right.Value));

    /// <summary>Overflow-checked multiple.</summary>
    public static Cycles operator *(Cycles left, long factor) => new(checked(left.Value * factor));

    /// <summary>Less than.</summary>
    public static bool operator <(Cycles left, Cycles right) => left.Value < right.Value;

    /// <summary>Greater than.</summary>
    public static bool operator >(Cycles left, Cycles right) => left.Value > right.Value;

    /// <summary>At most.</summary>
    public static bool operator <=(Cycles left, Cycles right) => left.Value <= right.Value;

    /// <summary>At least.</summary>
    public static bool operator >=(Cycles left, Cycles right) => left.Value >= right.Value;

    /// <summary>The larger of two.</summary>
    public static Cycles Max(Cycles left, Cycles right) => left >= right ? left : right;

    /// <summary>The smaller of two.</summary>
    public static Cycles Min(Cycles left, Cycles right) => left <= right ? left : right;
}
