namespace Systolic.Numerics;

/// <summary>Encodes and decodes the 8-bit codes of <typeparamref name="TFormat"/>, sign in the highest bit.</summary>
internal static class FloatCode<TFormat>
    where TFormat : struct, IFloatFormat
{
    private const int Sign = 0x80;

    private static int Surplus => 23 - TFormat.FractionBits;

    // Exponent fields count from 1 at the smallest normal number, fp32's from -126.
    private static int Bias => (TFormat.MinimumExponent + 126) << TFormat.FractionBits;

    private static int LargestCode => (BitConverter.SingleToInt32Bits(TFormat.Largest) >> Surplus) - Bias;

    /// <summary>The code of the value nearest to <paramref name="value"/>.</summary>
    public static byte Encode(float value)
    {
        float rounded = FloatRounding<TFormat>.Round(value);
        int sign = float.IsNegative(rounded) ? Sign : 0;
        return (byte)(sign | EncodeMagnitude(Math.Abs(rounded)));
    }

    /// <summary>The value of a code.</summary>
    public static float Decode(byte code)
    {
        int magnitude = code & ~Sign;
        float value = magnitude > LargestCode ? DecodeSpecial(magnitude)
            : magnitude >> TFormat.FractionBits == 0 ? magnitude * Smallest
            : BitConverter.Int32BitsToSingle((magnitude + Bias) << Surplus);
        return MathF.CopySign(value, (code & Sign) != 0 ? -1 : 1);
    }

    private static float Smallest => MathF.ScaleB(1, TFormat.MinimumExponent - TFormat.FractionBits);

    private static int EncodeMagnitude(float magnitude) => magnitude switch
    {
        float.NaN => Sign - 1 - (TFormat.HasInfinity ? 1 : 0),
        float.PositiveInfinity => LargestCode + 1,
        _ when magnitude < MathF.ScaleB(1, TFormat.MinimumExponent) => (int)(magnitude / Smallest),
        _ => (BitConverter.SingleToInt32Bits(magnitude) >> Surplus) - Bias,
    };

    private static float DecodeSpecial(int magnitude) =>
        TFormat.HasInfinity && magnitude == LargestCode + 1 ? float.PositiveInfinity : float.NaN;
}
