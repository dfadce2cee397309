using System.Globalization;

namespace Systolic.Numerics;

/// <summary>bf16: the upper half of an fp32, 8-bit exponent, 7-bit fraction.</summary>
/// <remarks>Equality is that of the bits.</remarks>
/// <param name="Bits">The code.</param>
public readonly record struct BFloat16(ushort Bits)
{
    /// <summary>The nearest value, ties to even; infinity beyond the largest; any NaN becomes the quiet NaN of its sign.</summary>
    public static BFloat16 FromSingle(float value) =>
        new((ushort)(BitConverter.SingleToUInt32Bits(FloatRounding<Bf16Format>.Round(value)) >> 16));

    /// <summary>The exact value.</summary>
    public float ToSingle() => BitConverter.UInt32BitsToSingle((uint)Bits << 16);

    /// <summary>The value, invariant culture.</summary>
    public override string ToString() => ToSingle().ToString(CultureInfo.InvariantCulture);
}
