namespace Systolic.Units;

/// <summary>A rate of bytes. Decimal prefixes: 1 GB/s is 1e9 bytes per second.</summary>
public readonly record struct Bandwidth : IComparable<Bandwidth>
{
    private const long FemtosecondsPerSecond = 1_000_000_000_000_000;

    private Bandwidth(double value) => BytesPerSecond = value;

    /// <summary>The value in bytes per second.</summary>
    public double BytesPerSecond { get; }

    /// <summary>None.</summary>
    public static Bandwidth Zero => default;

    /// <summary>From bytes per second.</summary>
    public static Bandwidth FromBytesPerSecond(double value) => new(value);

    /// <summary>From 1e9 bytes per second.</summary>
    public static Bandwidth FromGigabytesPerSecond(double value) => new(value * 1e9);

    /// <summary>Time to move <paramref name="size"/> at this rate, rounded up to a femtosecond.</summary>
    /// <exception cref="OverflowException">The time exceeds the axis, or the rate is zero.</exception>
    /// <remarks>Exact when the rate is a whole number of bytes per second; else as exact as a double.</remarks>
    public SimTime TimeFor(Bytes size) =>
        size.Value == 0 ? SimTime.Zero
        : IsWhole ? new(checked((long)(((Int128)size.Value * FemtosecondsPerSecond + ((long)BytesPerSecond - 1)) / (long)BytesPerSecond)))
        : new(UnitText.ToCount(Math.Ceiling(size.Value * (double)FemtosecondsPerSecond / BytesPerSecond), "a time"));

    private bool IsWhole => BytesPerSecond is >= 1 and < long.MaxValue && Math.Floor(BytesPerSecond) == BytesPerSecond;

    /// <summary>Reads a number with a unit, such as "820 GB/s".</summary>
    /// <exception cref="FormatException">No number, or no known unit.</exception>
    public static Bandwidth Parse(string text) => new(UnitText.Parse(text, "a bandwidth", [("B/s", 1.0), ("kB/s", 1e3), ("MB/s", 1e6), ("GB/s", 1e9), ("TB/s", 1e12), ("GiB/s", 1073741824.0)]));

    /// <summary>Number and unit, invariant culture.</summary>
    public override string ToString() => UnitText.Format(BytesPerSecond, [("B/s", 1.0), ("kB/s", 1e3), ("MB/s", 1e6), ("GB/s", 1e9), ("TB/s", 1e12)]);

    /// <inheritdoc/>
    public int CompareTo(Bandwidth other) => BytesPerSecond.CompareTo(other.BytesPerSecond);

    /// <summary>Sum.</summary>
    public static Bandwidth operator +(Bandwidth left, Bandwidth right) => new(left.BytesPerSecond + right.BytesPerSecond);

    /// <summary>Difference.</summary>
    public static Bandwidth operator -(Bandwidth left, Bandwidth right) => new(left.BytesPerSecond - right.BytesPerSecond);

    /// <summary>Multiple.</summary>
    public static Bandwidth operator *(Bandwidth left, double factor) => new(left.BytesPerSecond * factor);

    /// <summary>Ratio.</summary>
    public static double operator /(Bandwidth left, Bandwidth right) => left.BytesPerSecond / right.BytesPerSecond;

    /// <summary>Less than.</summary>
    public static bool operator <(Bandwidth left, Bandwidth right) => left.BytesPerSecond < right.BytesPerSecond;

    /// <summary>Greater than.</summary>
    public static bool operator >(Bandwidth left, Bandwidth right) => left.BytesPerSecond > right.BytesPerSecond;

    /// <summary>At most.</summary>
    public static bool operator <=(Bandwidth left, Bandwidth right) => left.BytesPerSecond <= right.BytesPerSecond;

    /// <summary>At least.</summary>
    public static bool operator >=(Bandwidth left, Bandwidth right) => left.BytesPerSecond >= right.BytesPerSecond;
}
