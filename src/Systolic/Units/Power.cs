namespace Systolic.Units;

/// <summary>A rate of energy.</summary>
public readonly record struct Power : IComparable<Power>
{
    private Power(double value) => Watts = value;

    /// <summary>The value in watts.</summary>
    public double Watts { get; }

    /// <summary>None.</summary>
    public static Power Zero => default;

    /// <summary>From watts.</summary>
    public static Power FromWatts(double value) => new(value);

    /// <summary>Energy spent at this power over a span of time.</summary>
    public Energy Over(SimTime time) => Energy.FromJoules(Watts * time.Seconds);

    /// <summary>Reads a number with a unit, such as "500 W".</summary>
    /// <exception cref="FormatException">No number, or no known unit.</exception>
    public static Power Parse(string text) => new(UnitText.Parse(text, "a power", [("mW", 1e-3), ("W", 1.0), ("kW", 1e3)]));

    /// <summary>Number and unit, invariant culture.</summary>
    public override string ToString() => UnitText.Format(Watts, [("mW", 1e-3), ("W", 1.0), ("kW", 1e3)]);

    /// <inheritdoc/>
    public int CompareTo(Power other) => Watts.CompareTo(other.Watts);

    /// <summary>Sum.</summary>
    public static Power operator +(Power left, Power right) => new(left.Watts + right.Watts);

    /// <summary>Difference.</summary>
    public static Power operator -(Power left, Power right) => new(left.Watts - right.Watts);

    /// <summary>Multiple.</summary>
    public static Power operator *(Power left, double factor) => new(left.Watts * factor);

    /// <summary>Ratio.</summary>
    public static double operator /(Power left, Power right) => left.Watts / right.Watts;

    /// <summary>Less than.</summary>
    public static bool operator <(Power left, Power right) => left.Watts < right.Watts;

    /// <summary>Greater than.</summary>
    public static bool operator >(Power left, Power right) => left.Watts > right.Watts;

    /// <summary>At most.</summary>
    public static bool operator <=(Power left, Power right) => left.Watts <= right.Watts;

    /// <summary>At least.</summary>
    public static bool operator >=(Power left, Power right) => left.Watts >= right.Watts;
}
