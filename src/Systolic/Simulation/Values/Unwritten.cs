using System.Runtime.InteropServices;

namespace Systolic.Simulation;

/// <summary>The mark of an element that nothing wrote: a NaN that no computation yields, so that reading costs no second array.</summary>
internal static class Unwritten
{
    // A quiet NaN: constants of signalling ones do not survive every compilation.
    private const int Bits = 0x7FE5_A5A5;

    /// <summary>Marks all elements.</summary>
    public static void Fill(Span<float> values) => MemoryMarshal.Cast<float, int>(values).Fill(Bits);

    /// <summary>One of the elements is the mark.</summary>
    public static bool In(ReadOnlySpan<float> values) => MemoryMarshal.Cast<float, int>(values).Contains(Bits);

    /// <summary>The element is the mark.</summary>
    public static bool Is(float value) => BitConverter.SingleToInt32Bits(value) == Bits;
}

/// <summary>An element was read that nothing wrote.</summary>
internal sealed class UnwrittenException(string message) : Exception(message);
