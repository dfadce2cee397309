using CsCheck;
using Systolic.Numerics;

namespace Systolic.Tests.Numerics;

public class RoundingTests
{
    public static TheoryData<DataType> Types() => [.. Enum.GetValues<DataType>()];

    private static readonly float[] Specials =
    [
        0f, -0f, float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity,
        float.Epsilon, -float.Epsilon, float.MaxValue, float.MinValue, BitConverter.UInt32BitsToSingle(0x7FFF_FFFF), BitConverter.UInt32BitsToSingle(0xFFFF_FFFF),
    ];

    // Sign, exponent and fraction drawn apart, so that every exponent, infinities, NaNs and subnormals are common; and ties.
    private static readonly Gen<float> AnyFloat = Gen.Frequency(
        (4, Gen.UInt.Select(BitConverter.UInt32BitsToSingle)),
        (2, Gen.Float[-600, 600]),
        (2, Gen.UInt.Select(bits => BitConverter.UInt32BitsToSingle(bits & 0xFFF8_0000))),
        (1, Gen.Int[-300, 300].Select(i => i / 2f)),
        (1, Gen.Int[0, Specials.Length - 1].Select(i => Specials[i])));

    /// <summary>The definition, in double precision: the nearest multiple of the last place, ties to even.</summary>
    private static float Reference(float value, DataType type)
    {
        (int fraction, int minimumExponent, double largest, bool infinity) = type switch
        {
            DataType.Tf32 => (10, -126, Math.ScaleB(2 - Math.ScaleB(1, -10), 127), true),
            DataType.Bf16 => (7, -126, Math.ScaleB(2 - Math.ScaleB(1, -7), 127), true),
            DataType.Fp16 => (10, -14, 65504.0, true),
            DataType.Fp8E4M3 => (3, -6, 448.0, false),
            DataType.Fp8E5M2 => (2, -14, 57344.0, true),
            _ => (23, -126, float.MaxValue, true),
        };
        if (type is DataType.Int8 or DataType.Int32)
        {
            (double low, double high) = type == DataType.Int8 ? (-128.0, 127.0) : (-2147483648.0, 2147483520.0);
            return float.IsNaN(value) ? 0 : (float)(Math.Min(high, Math.Max(low, Math.Round((double)value, MidpointRounding.ToEven))) + 0.0);
        }

        if (float.IsNaN(value) || value == 0)
        {
            return value;
        }

        double tooLarge = infinity ? double.PositiveInfinity : double.NaN;
        double magnitude = Math.Abs((double)value);
        double lastPlace = double.IsFinite(magnitude) ? Math.ScaleB(1, Math.Max(Math.ILogB(magnitude), minimumExponent) - fraction) : 1;
        double rounded = Math.Round(magnitude / lastPlace, MidpointRounding.ToEven) * lastPlace;
        return (float)Math.CopySign(rounded > largest ? tooLarge : rounded, value);
    }

    private static bool Same(float left, float right) =>
        float.IsNaN(left) ? float.IsNaN(right) : BitConverter.SingleToInt32Bits(left) == BitConverter.SingleToInt32Bits(right);

    [Theory]
    [MemberData(nameof(Types))]
    public void A_value_rounds_as_the_definition_says(DataType type) =>
        AnyFloat.Sample(value => Same(Rounding.Round(value, type), Reference(value, type)), iter: 20_000, threads: 1);

    [Fact]
    public void Fp16_rounds_as_Half_does() =>
        AnyFloat.Sample(value => Same(Rounding.Round(value, DataType.Fp16), (float)(Half)value), iter: 20_000, threads: 1);

    [Theory]
    [MemberData(nameof(Types))]
    public void Rounding_twice_is_rounding_once(DataType type) =>
        AnyFloat.Sample(value => Same(Rounding.Round(Rounding.Round(value, type), type), Rounding.Round(value, type)), iter: 5_000, threads: 1);

    [Theory]
    [MemberData(nameof(Types))]
    public void A_span_of_any_length_rounds_as_its_elements_do(DataType type)
    {
        for (int length = 0; length <= 70; length++)
        {
            AnyFloat.Array[length].Sample(source =>
            {
                float[] destination = new float[length + 1];
                destination[length] = 42; // beyond the source: must stay
                Rounding.Round(source, destination, type);
                return destination[length] == 42
                    && Enumerable.Range(0, length).All(i => BitConverter.SingleToInt32Bits(destination[i]) == BitConverter.SingleToInt32Bits(Rounding.Round(source[i], type)));
            }, iter: 20, threads: 1);
        }
    }

    [Theory]
    [InlineData(DataType.Int8, 2.5f, 2f)]
    [InlineData(DataType.Int8, -0.3f, 0f)]
    [InlineData(DataType.Int8, 127.6f, 127f)]
    [InlineData(DataType.Int8, -500f, -128f)]
    [InlineData(DataType.Int8, float.NaN, 0f)]
    [InlineData(DataType.Int32, 3e9f, 2147483520f)] // the fp32 below 2^31
    [InlineData(DataType.Int32, float.NegativeInfinity, -2147483648f)]
    [InlineData(DataType.Bf16, 3.4e38f, float.PositiveInfinity)] // the largest bf16 is 3.3895e38, half a step above it 3.3961e38
    [InlineData(DataType.Tf32, 1.00048828125f, 1f)] // 1 + 2^-11: a tie, to even
    [InlineData(DataType.Tf32, 1.00146484375f, 1.001953125f)] // 1 + 3 x 2^-11: a tie, to even
    public void Boundary_values_round_as_derived(DataType type, float value, float expected) =>
        BitConverter.SingleToInt32Bits(Rounding.Round(value, type)).Should().Be(BitConverter.SingleToInt32Bits(expected));

    [Fact]
    public void Rounding_in_place_is_allowed()
    {
        float[] values = [.. Enumerable.Range(0, 40).Select(i => i + 0.01f)];

        Rounding.Round(values, values, DataType.Int8);

        values.Should().Equal(Enumerable.Range(0, 40).Select(i => (float)i));
    }

    [Fact]
    public void A_short_or_shifted_destination_is_refused()
    {
        float[] values = new float[8];

        FluentActions.Invoking(() => Rounding.Round(values, new float[7], DataType.Bf16)).Should().Throw<ArgumentException>().WithMessage("*holds 7 values, 8 are needed*");
        FluentActions.Invoking(() => Rounding.Round(values.AsSpan(0, 7), values.AsSpan(1), DataType.Bf16)).Should().Throw<ArgumentException>().WithMessage("*overlaps*");
    }

    [Fact]
    public void An_unknown_type_is_refused() =>
        FluentActions.Invoking(() => Rounding.Round(1f, (DataType)99)).Should().Throw<ArgumentOutOfRangeException>();
}
