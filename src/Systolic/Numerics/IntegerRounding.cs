using System.Numerics;

namespace Systolic.Numerics;

/// <summary>The range of an integer type in fp32.</summary>
internal interface IIntegerFormat
{
    /// <summary>The smallest value.</summary>
    static abstract float Smallest { get; }

    /// <summary>The largest value that fp32 holds.</summary>
    static abstract float Largest { get; }
}

/// <summary>8-bit two's complement.</summary>
internal readonly struct Int8Format : IIntegerFormat
{
    public static float Smallest => sbyte.MinValue;

    public static float Largest => sbyte.MaxValue;
}

/// <summary>32-bit two's complement.</summary>
internal readonly struct Int32Format : IIntegerFormat
{
    public static float Smallest => int.MinValue;

    public static float Largest => 2_147_483_520; // 2^31 - 128: the fp32 below 2^31
}

/// <summary>Rounds to the nearest integer, ties to even, saturating; NaN and negative zero become zero.</summary>
internal readonly struct IntegerRounding<TFormat> : IRounding
    where TFormat : struct, IIntegerFormat
{
    public static float Round(float value) => float.IsNaN(value)
        ? 0
        : MathF.Round(Math.Clamp(value, TFormat.Smallest, TFormat.Largest), MidpointRounding.ToEven) + 0f;

    public static Vector<float> Round(Vector<float> values)
    {
        Vector<float> numbers = Vector.ConditionalSelect(Vector.Equals(values, values), values, Vector<float>.Zero);
        Vector<float> clamped = Vector.Max(Vector.Min(numbers, new Vector<float>(TFormat.Largest)), new Vector<float>(TFormat.Smallest));
        return Vector.Round(clamped, MidpointRounding.ToEven) + Vector<float>.Zero;
    }
}
