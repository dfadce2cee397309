using System.Globalization;

namespace Systolic.Numerics;

/// <summary>OCP OFP8 E4M3: 4-bit exponent, 3-bit fraction, largest value 448, one NaN per sign, no infinity.</summary>
/// <remarks>Equality is that of the bits.</remarks>
/// <param name="Bits">The code.</param>
public readonly record struct Float8E4M3(byte Bits)
{
    /// <summary>The nearest value, ties to even; NaN beyond 464, half a step above the largest (OFP8 without saturation).</summary>
    public static Float8E4M3 FromSingle(float value) => new(FloatCode<E4M3Format>.Encode(value));

    /// <summary>The exact value.</summary>
    public float ToSingle() => FloatCode<E4M3Format>.Decode(Bits);

    /// <summary>The value, invariant culture.</summary>
    public override string ToString() => ToSingle().ToString(CultureInfo.InvariantCulture);
}
