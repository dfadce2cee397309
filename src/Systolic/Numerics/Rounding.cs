using System.Numerics;
using System.Runtime.InteropServices;

namespace Systolic.Numerics;

/// <summary>Rounds fp32 values to what another type can hold; the results stay fp32 and are exact values of that type.</summary>
/// <remarks>
/// To nearest, ties to even, subnormals kept. Beyond the largest value: infinity; NaN for fp8e4m3, which has no infinity (OCP OFP8, no
/// saturation, so that an overflow shows); the nearest end of the range for integers, where NaN becomes zero.
/// </remarks>
public static class Rounding
{
    /// <summary>Rounds each element of <paramref name="source"/> to <paramref name="type"/>.</summary>
    /// <param name="source">The values.</param>
    /// <param name="destination">Receives the rounded values; may be <paramref name="source"/> itself, may not overlap it otherwise.</param>
    /// <param name="type">The type whose values are wanted.</param>
    /// <exception cref="ArgumentException">The destination is shorter than the source, or overlaps it at an offset.</exception>
    public static void Round(ReadOnlySpan<float> source, Span<float> destination, DataType type)
    {
        if (destination.Length < source.Length)
        {
            throw new ArgumentException($"The destination holds {destination.Length} values, {source.Length} are needed.", nameof(destination));
        }

        if (source.Overlaps(destination, out int offset) && offset != 0)
        {
            throw new ArgumentException($"The destination overlaps the source at an offset of {offset}, expected none or the same span.", nameof(destination));
        }

        Dispatch(source, destination[..source.Length], type);
    }

    /// <summary>The value of <paramref name="type"/> nearest to <paramref name="value"/>.</summary>
    public static float Round(float value, DataType type)
    {
        Dispatch(new ReadOnlySpan<float>(in value), new Span<float>(ref value), type);
        return value;
    }

    private static void Dispatch(ReadOnlySpan<float> source, Span<float> destination, DataType type)
    {
        switch (type)
        {
            case DataType.Fp32: source.CopyTo(destination); break;
            case DataType.Tf32: Apply<FloatRounding<Tf32Format>>(source, destination); break;
            case DataType.Bf16: Apply<FloatRounding<Bf16Format>>(source, destination); break;
            case DataType.Fp16: Apply<FloatRounding<Fp16Format>>(source, destination); break;
            case DataType.Fp8E4M3: Apply<FloatRounding<E4M3Format>>(source, destination); break;
            case DataType.Fp8E5M2: Apply<FloatRounding<E5M2Format>>(source, destination); break;
            case DataType.Int8: Apply<IntegerRounding<Int8Format>>(source, destination); break;
            case DataType.Int32: Apply<IntegerRounding<Int32Format>>(source, destination); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type, "found no such data type");
        }
    }

    private static void Apply<TRounding>(ReadOnlySpan<float> source, Span<float> destination)
        where TRounding : struct, IRounding
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(source);
        Span<Vector<float>> results = MemoryMarshal.Cast<float, Vector<float>>(destination);
        for (int i = 0; i < vectors.Length; i++)
        {
            results[i] = TRounding.Round(vectors[i]);
        }

        for (int i = vectors.Length * Vector<float>.Count; i < source.Length; i++)
        {
            destination[i] = TRounding.Round(source[i]);
        }
    }
}
