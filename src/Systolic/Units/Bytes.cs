namespace Systolic.Units;

/// <summary>A size or a traffic in bytes. Binary prefixes (KiB) and decimal prefixes (kB) are kept apart.</summary>
/// <param name="Value">The count.</param>
public readonly record struct Bytes(long Value) : IComparable<Bytes>
{
    /// <summary>None.</summary>
    public static Bytes Zero => default;

    /// <summary>From units of 1,024 bytes.</summary>
    public static Bytes FromKibibytes(double value) => new(UnitText.ToCount(value * 1024, "a size"));

    /// <summary>From units of 1,048,576 bytes.</summary>
    public static Bytes FromMebibytes(double value) => new(UnitText.ToCount(value * 1048576, "a size"));

    /// <summary>From units of 1,073,741,824 bytes.</summary>
    public static Bytes FromGibibytes(double value) => new(UnitText.ToCount(value * 1073741824, "a size"));

    /// <summary>Reads a number with a unit, such as "192 KiB".</summary>
    /// <exception cref="FormatException">No number, or no known unit.</exception>
    public static Bytes Parse(string text) => new(UnitText.ToCount(UnitText.Parse(text, "a size", [("B", 1), ("KiB", 1024.0), ("MiB", 1048576.0), ("GiB", 1073741824.0), ("TiB", 1099511627776.0), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12)]), "a size"));

    /// <summary>Number and unit, invariant culture.</summary>
    public override string ToString() => UnitText.Format(Value, [("B", 1), ("KiB", 1024.0), ("MiB", 1048576.0), ("GiB", 1073741824.0), ("TiB", 1099511627776.0)]);

    /// <inheritdoc/>
    public int CompareTo(Bytes other) => Value.CompareTo(other.Value);

    /// <summary>Overflow-checked sum.</summary>
    public static Bytes operator +(Bytes left, Bytes right) => new(checked(left.Value + right.Value));

    /// <summary>Overflow-checked difference.</summary>
    public static Bytes operator -(Bytes left, Bytes right) => new(checked(left.Value - right.Value));

    /// <summary>Overflow-checked multiple.</summary>
    public static Bytes operator *(Bytes left, long factor) => new(checked(left.Value * factor));

    /// <summary>Less than.</summary>
    public static bool operator <(Bytes left, Bytes right) => left.Value < right.Value;

    /// <summary>Greater than.</summary>
    public static bool operator >(Bytes left, Bytes right) => left.Value > right.Value;

    /// <summary>At most.</summary>
    public static bool operator <=(Bytes left, Bytes right) => left.Value <= right.Value;

    /// <summary>At least.</summary>
    public static bool operator >=(Bytes left, Bytes right) => left.Value >= right.Value;

    /// <summary>The larger of two.</summary>
    public static Bytes Max(Bytes left, Bytes right) => left >= right ? left : right;

    /// <summary>The smaller of two.</summary>
    public static Bytes Min(Bytes left, Bytes right) => left <= right ? left : right;
}
