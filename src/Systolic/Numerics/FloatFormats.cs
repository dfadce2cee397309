namespace Systolic.Numerics;

/// <summary>A binary floating-point format no wider than fp32 in exponent or fraction.</summary>
internal interface IFloatFormat
{
    /// <summary>Stored fraction bits.</summary>
    static abstract int FractionBits { get; }

    /// <summary>Exponent of the smallest normal number.</summary>
    static abstract int MinimumExponent { get; }

    /// <summary>The largest finite number.</summary>
    static abstract float Largest { get; }

    /// <summary>Too large a magnitude becomes infinity; without infinities it becomes NaN.</summary>
    static abstract bool HasInfinity { get; }
}

/// <summary>8-bit exponent, 10-bit fraction.</summary>
internal readonly struct Tf32Format : IFloatFormat
{
    public static int FractionBits => 10;

    public static int MinimumExponent => -126;

    public static float Largest => BitConverter.UInt32BitsToSingle(0x7F7F_E000);

    public static bool HasInfinity => true;
}

/// <summary>8-bit exponent, 7-bit fraction.</summary>
internal readonly struct Bf16Format : IFloatFormat
{
    public static int FractionBits => 7;

    public static int MinimumExponent => -126;

    public static float Largest => BitConverter.UInt32BitsToSingle(0x7F7F_0000);

    public static bool HasInfinity => true;
}

/// <summary>IEEE binary16.</summary>
internal readonly struct Fp16Format : IFloatFormat
{
    public static int FractionBits => 10;

    public static int MinimumExponent => -14;

    public static float Largest => 65504;

    public static bool HasInfinity => true;
}

/// <summary>OCP OFP8 E4M3: the codes of the highest exponent are numbers, except S.1111.111, which is NaN.</summary>
internal readonly struct E4M3Format : IFloatFormat
{
    public static int FractionBits => 3;

    public static int MinimumExponent => -6;

    public static float Largest => 448;

    public static bool HasInfinity => false;
}

/// <summary>OCP OFP8 E5M2: as IEEE binary16 with two fraction bits.</summary>
internal readonly struct E5M2Format : IFloatFormat
{
    public static int FractionBits => 2;

    public static int MinimumExponent => -14;

    public static float Largest => 57344;

    public static bool HasInfinity => true;
}
