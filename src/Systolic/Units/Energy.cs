namespace Systolic.Units;

/// <summary>An amount of energy.</summary>
public readonly record struct Energy : IComparable<Energy>
{
    private Energy(double value) => Joules = value;

    /// <summary>The value in joules.</summary>
    public double Joules { get; }

    /// <summary>None.</summary>
    public static Energy Zero => default;

    /// <summary>From joules.</summary>
    public static Energy FromJoules(double value) => new(value);

    /// <summary>From picojoules.</summary>
    public static Energy FromPicojoules(double value) => new(value * 1e-12);

    /// <summary>The value in picojoules.</summary>
    public double Picojoules => Joules * 1e12;

    /// <summary>Average power over a span of time; zero over an empty span.</summary>
    public Power Over(SimTime time) => Power.FromWatts(time.Value == 0 ? 0 : Joules / time.Seconds);

    /// <summary>Reads a number with a unit, such as "0.84 pJ".</summary>
    /// <exception cref="FormatException">No number, or no known unit.</exception>
    public static Energy Parse(string text) => new(UnitText.Parse(text, "an energy", [("pJ", 1e-12), ("nJ", 1e-9), ("uJ", 1e-6), ("mJ", 1e-3), ("J", 1.0), ("kJ", 1e3), ("MJ", 1e6)]));

    /// <summary>Number and unit, invariant culture.</summary>
    public override string ToString() => UnitText.Format(Joules, [("pJ", 1e-12), ("nJ", 1e-9), ("uJ", 1e-6), ("mJ", 1e-3), ("J", 1.0), ("kJ", 1e3), ("MJ", 1e6)]);

    /// <inheritdoc/>
    public int CompareTo(Energy other) => Joules.CompareTo(other.Joules);

    /// <summary>Sum.</summary>
    public static Energy operator +(Energy left, Energy right) => new(left.Joules + right.Joules);

    /// <summary>Difference.</summary>
    public static Energy operator -(Energy left, Energy right) => new(left.Joules - right.Joules);

    /// <summary>Multiple.</summary>
    public static Energy operator *(Energy left, double factor) => new(left.Joules * factor);

    /// <summary>Ratio.</summary>
    public static double operator /(Energy left, Energy right) => left.Joules / right.Joules;

    /// <summary>Less than.</summary>
    public static bool operator <(Energy left, Energy right) => left.Joules < right.Joules;

    /// <summary>Greater than.</summary>
    public static bool operator >(Energy left, Energy right) => left.Joules > right.Joules;

    /// <summary>At most.</summary>
    public static bool operator <=(Energy left, Energy right) => left.Joules <= right.Joules;

    /// <summary>At least.</summary>
    public static bool operator >=(Energy left, Energy right) => left.Joules >= right.Joules;
}
