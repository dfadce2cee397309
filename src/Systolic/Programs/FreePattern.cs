namespace Systolic.Programs;

/// <summary>Elements of a partition in up to three nested loops, strides in elements; a stride of 0 repeats, a negative one runs backwards.</summary>
/// <param name="Outer">Count of the outermost loop.</param>
/// <param name="OuterStride">Its stride.</param>
/// <param name="Middle">Count of the middle loop.</param>
/// <param name="MiddleStride">Its stride.</param>
/// <param name="Inner">Count of the innermost loop.</param>
/// <param name="InnerStride">Its stride.</param>
public readonly record struct FreePattern(int Outer, int OuterStride, int Middle, int MiddleStride, int Inner, int InnerStride)
{
    /// <summary>Elements over all loops.</summary>
    public int Elements => Outer * Middle * Inner;

    /// <summary>The elements are consecutive.</summary>
    public bool IsRow => Outer == 1 && Middle == 1 && (InnerStride == 1 || Inner == 1);

    /// <summary>Lowest element relative to the first.</summary>
    public int Lowest => Math.Min(0, (Outer - 1) * OuterStride) + Math.Min(0, (Middle - 1) * MiddleStride) + Math.Min(0, (Inner - 1) * InnerStride);

    /// <summary>Highest element relative to the first.</summary>
    public int Highest => Math.Max(0, (Outer - 1) * OuterStride) + Math.Max(0, (Middle - 1) * MiddleStride) + Math.Max(0, (Inner - 1) * InnerStride);

    /// <summary>Consecutive elements.</summary>
    public static FreePattern Row(int elements) => new(1, 0, 1, 0, elements, 1);

    /// <summary>Offset of element <paramref name="index"/> in loop order.</summary>
    public int this[int index]
    {
        get
        {
            (int rest, int inner) = Math.DivRem(index, Inner);
            (int outer, int middle) = Math.DivRem(rest, Middle);
            return (outer * OuterStride) + (middle * MiddleStride) + (inner * InnerStride);
        }
    }

    internal FreePattern Repeat(int count, int stride) => this switch
    {
        { Middle: 1, Outer: 1 } => this with { Middle = count, MiddleStride = stride },
        { Outer: 1 } => this with { Outer = count, OuterStride = stride },
        _ => throw TooMany(),
    };

    internal FreePattern Spread(int count) => this switch
    {
        { Middle: 1, Outer: 1 } => new(1, 0, Inner, InnerStride, count, 0),
        { Outer: 1 } => new(Middle, MiddleStride, Inner, InnerStride, count, 0),
        _ => throw TooMany(),
    };

    private static InvalidOperationException TooMany() => new("The view has three free dimensions already, the most an instruction takes. Use several instructions.");
}
