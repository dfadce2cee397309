using System.Text.Json.Nodes;

namespace Systolic.Exploration;

/// <summary>One value of a design parameter, as a machine or sweep file states it: a number, a quantity with its unit, a word, true or false.</summary>
public readonly record struct DesignValue
{
    private readonly bool _quoted;

    private DesignValue(string text, double number, bool quoted) => (Text, Number, _quoted) = (text, number, quoted);

    /// <summary>As written, such as "24 MiB".</summary>
    public string Text { get; }

    /// <summary>In its base unit (s, J, W, Hz, B, B/s); not a number for a word.</summary>
    public double Number { get; }

    /// <summary>The unit; empty for a plain number.</summary>
    internal string Unit => _quoted ? Measure.Read(Text)?.Unit ?? "" : "";

    /// <summary>A number.</summary>
    public static implicit operator DesignValue(double value) => FromDouble(value);

    /// <summary>A quantity with its unit, or a word.</summary>
    public static implicit operator DesignValue(string text) => FromString(text);

    /// <summary>True or false.</summary>
    public static implicit operator DesignValue(bool value) => FromBoolean(value);

    /// <summary>A number.</summary>
    public static DesignValue FromDouble(double value) => new(Measure.Write(value, ""), value, false);

    /// <summary>A quantity with its unit, or a word.</summary>
    public static DesignValue FromString(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new(text, Measure.Read(text)?.Value ?? double.NaN, true);
    }

    /// <summary>True or false.</summary>
    public static DesignValue FromBoolean(bool value) => new(value ? "true" : "false", value ? 1 : 0, false);

    /// <summary>A number of the base unit, written in a unit; without one a plain number.</summary>
    internal static DesignValue Of(double number, string unit) => unit.Length == 0 ? number : Measure.Write(number, unit);

    /// <summary>As a node of a JSON document.</summary>
    internal JsonNode ToJson() => _quoted ? JsonValue.Create(Text) : JsonNode.Parse(Text)!;

    /// <inheritdoc/>
    public override string ToString() => Text;
}
