using System.Globalization;

namespace Systolic.Numerics;

/// <summary>OCP OFP8 E5M2: 5-bit exponent, 2-bit fraction, largest value 57344, with infinities.</summary>
/// <remarks>Equality is that of the bits.</remarks>
/// <param name="Bits">The code.</param>
public readonly record struct Float8E5M2(byte Bits)
{
    /// <summary>The nearest value, ties to even; infinity from 61440, half a step above the largest (OFP8 without saturation).</summary>
    public static Float8E5M2 FromSingle(float value) => new(FloatCode<E5M2Format>.Encode(value));

    /// <summary>The exact value.</summary>
    public float ToSingle() => FloatCode<E5M2Format>.Decode(Bits);

    /// <summary>The value, invariant culture.</summary>
    public override string ToString() => ToSingle().ToString(CultureInfo.InvariantCulture);
}
