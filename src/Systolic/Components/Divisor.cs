using System.Numerics;
using System.Runtime.CompilerServices;

namespace Systolic.Components;

/// <summary>A positive number that many others, none negative, are divided by: by shifting where it is a power of two, else by multiplying with 2^64 / it.</summary>
internal readonly struct Divisor
{
    private readonly long _value;
    private readonly int _shift;
    private readonly ulong _reciprocal;

    public Divisor(long value)
    {
        bool shifts = BitOperations.IsPow2(value);
        (_value, _shift, _reciprocal) = (value, shifts ? BitOperations.Log2((ulong)value) : -1, shifts ? 0 : ulong.MaxValue / (ulong)value);
    }

    /// <summary>The quotient.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Of(long dividend) => _shift >= 0 ? dividend >> _shift : Multiplied(dividend);

    /// <summary>The remainder.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Remainder(long dividend) => _shift >= 0 ? dividend & (_value - 1) : dividend - (Multiplied(dividend) * _value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long Multiplied(long dividend)
    {
        // The reciprocal is rounded down, and a dividend below 2^63: the product is the quotient or one less.
        long quotient = (long)Math.BigMul((ulong)dividend, _reciprocal, out _);
        return dividend - (quotient * _value) < _value ? quotient : quotient + 1;
    }
}
