using System.Runtime.Intrinsics;

namespace Systolic.Components;

/// <summary>The arithmetic of one cell: multiply two operands and add to a sum, with one rounding at most.</summary>
internal interface ICell<T>
    where T : unmanaged
{
    static abstract T From(float value);

    static abstract float ToSingle(T value);

    /// <summary>Sum of two partial sums, as the accumulator behind the array adds them.</summary>
    static abstract T Add(T left, T right);

    static abstract Vector512<T> MultiplyAdd(Vector512<T> top, Vector512<T> moving, Vector512<T> sum);

    static abstract Vector256<T> MultiplyAdd(Vector256<T> top, Vector256<T> moving, Vector256<T> sum);
}

/// <summary>fp32 sums; the product is not rounded before the addition (exact in any case for operands of at most 12 significant bits).</summary>
internal readonly struct Fp32Cell : ICell<float>
{
    public static float From(float value) => value;

    public static float ToSingle(float value) => value;

    public static float Add(float left, float right) => left + right;

    public static Vector512<float> MultiplyAdd(Vector512<float> top, Vector512<float> moving, Vector512<float> sum) =>
        Vector512.FusedMultiplyAdd(top, moving, sum);

    public static Vector256<float> MultiplyAdd(Vector256<float> top, Vector256<float> moving, Vector256<float> sum) =>
        Vector256.FusedMultiplyAdd(top, moving, sum);
}

/// <summary>int32 sums, wrapping as two's complement; products of int8 fit.</summary>
internal readonly struct Int32Cell : ICell<int>
{
    public static int From(float value) => (int)value;

    public static float ToSingle(int value) => value;

    public static int Add(int left, int right) => unchecked(left + right);

    public static Vector512<int> MultiplyAdd(Vector512<int> top, Vector512<int> moving, Vector512<int> sum) => (top * moving) + sum;

    public static Vector256<int> MultiplyAdd(Vector256<int> top, Vector256<int> moving, Vector256<int> sum) => (top * moving) + sum;
}
