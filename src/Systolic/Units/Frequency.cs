namespace Systolic.Units;

/// <summary>A clock frequency, held in whole hertz.</summary>
/// <param name="Hertz">Cycles per second.</param>
public readonly record struct Frequency(long Hertz)
{
    /// <summary>From gigahertz.</summary>
    public static Frequency FromGigahertz(double value) => new(UnitText.ToCount(value * 1e9, "a frequency"));

    /// <summary>From megahertz.</summary>
    public static Frequency FromMegahertz(double value) => new(UnitText.ToCount(value * 1e6, "a frequency"));

    /// <summary>Reads a number with a unit, such as "2.8 GHz".</summary>
    /// <exception cref="FormatException">No number, or no known unit.</exception>
    public static Frequency Parse(string text) =>
        new(UnitText.ToCount(UnitText.Parse(text, "a frequency", [("Hz", 1), ("kHz", 1e3), ("MHz", 1e6), ("GHz", 1e9)]), "a frequency"));

    /// <summary>Number and unit, invariant culture.</summary>
    public override string ToString() => UnitText.Format(Hertz, [("Hz", 1), ("kHz", 1e3), ("MHz", 1e6), ("GHz", 1e9)]);
}
