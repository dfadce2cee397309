namespace Systolic.Units;

/// <summary>A point or a span on the shared time axis, in femtoseconds (up to 2.5 hours).</summary>
/// <param name="Value">The count.</param>
public readonly record struct SimTime(long Value) : IComparable<SimTime>
{
    /// <summary>None.</summary>
    public static SimTime Zero => default;

    /// <summary>From seconds.</summary>
    public static SimTime FromSeconds(double value) => new(UnitText.ToCount(value * 1e15, "a time"));

    /// <summary>From nanoseconds.</summary>
    public static SimTime FromNanoseconds(double value) => new(UnitText.ToCount(value * 1e6, "a time"));

    /// <summary>From microseconds.</summary>
    public static SimTime FromMicroseconds(double value) => new(UnitText.ToCount(value * 1e9, "a time"));

    /// <summary>The value in seconds.</summary>
    public double Seconds => Value * 1e-15;

    /// <summary>The value in microseconds.</summary>
    public double Microseconds => Value * 1e-9;

    /// <summary>Reads a number with a unit, such as "1.3 us".</summary>
    /// <exception cref="FormatException">No number, or no known unit.</exception>
    public static SimTime Parse(string text) => new(UnitText.ToCount(UnitText.Parse(text, "a time", [("fs", 1), ("ps", 1e3), ("ns", 1e6), ("us", 1e9), ("ms", 1e12), ("s", 1e15)]), "a time"));

    /// <summary>Number and unit, invariant culture.</summary>
    public override string ToString() => UnitText.Format(Value, [("fs", 1), ("ps", 1e3), ("ns", 1e6), ("us", 1e9), ("ms", 1e12), ("s", 1e15)]);

    /// <inheritdoc/>
    public int CompareTo(SimTime other) => Value.CompareTo(other.Value);

    /// <summary>Overflow-checked sum.</summary>
    public static SimTime operator +(SimTime left, SimTime right) => new(checked(left.Value + right.Value));

    /// <summary>Overflow-checked difference.</summary>
    public static SimTime operator -(SimTime left, SimTime right) => new(checked(left.Value - right.Value));

    /// <summary>Overflow-checked multiple.</summary>
    public static SimTime operator *(SimTime left, long factor) => new(checked(left.Value * factor));

    /// <summary>Less than.</summary>
    public static bool operator <(SimTime left, SimTime right) => left.Value < right.Value;

    /// <summary>Greater than.</summary>
    public static bool operator >(SimTime left, SimTime right) => left.Value > right.Value;

    /// <summary>At most.</summary>
    public static bool operator <=(SimTime left, SimTime right) => left.Value <= right.Value;

    /// <summary>At least.</summary>
    public static bool operator >=(SimTime left, SimTime right) => left.Value >= right.Value;

    /// <summary>The larger of two.</summary>
    public static SimTime Max(SimTime left, SimTime right) => left >= right ? left : right;

    /// <summary>The smaller of two.</summary>
    public static SimTime Min(SimTime left, SimTime right) => left <= right ? left : right;
}
