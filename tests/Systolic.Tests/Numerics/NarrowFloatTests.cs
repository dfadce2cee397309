using Systolic.Numerics;

namespace Systolic.Tests.Numerics;

public class NarrowFloatTests
{
    private static bool SameBits(float left, float right) =>
        (float.IsNaN(left) && float.IsNaN(right)) || BitConverter.SingleToInt32Bits(left) == BitConverter.SingleToInt32Bits(right);

    [Fact]
    public void Every_e4m3_code_decodes_as_the_format_says_and_survives_a_round_trip()
    {
        for (int code = 0; code < 256; code++)
        {
            int exponent = (code >> 3) & 15, fraction = code & 7;
            double magnitude = (code & 0x7F) == 0x7F ? double.NaN
                : exponent == 0 ? fraction / 8.0 * Math.ScaleB(1, -6)
                : (1 + fraction / 8.0) * Math.ScaleB(1, exponent - 7);
            float expected = (float)(code < 128 ? magnitude : -magnitude);

            float value = new Float8E4M3((byte)code).ToSingle();

            SameBits(value, expected).Should().BeTrue($"code {code:x2} is {expected}, not {value}");
            Float8E4M3.FromSingle(value).Bits.Should().Be((byte)code);
        }
    }

    [Fact]
    public void Every_e5m2_code_decodes_as_the_format_says_and_survives_a_round_trip()
    {
        for (int code = 0; code < 256; code++)
        {
            float expected = (float)BitConverter.UInt16BitsToHalf((ushort)(code << 8)); // E5M2 is the upper byte of a binary16

            float value = new Float8E5M2((byte)code).ToSingle();

            SameBits(value, expected).Should().BeTrue($"code {code:x2} is {expected}, not {value}");
            Float8E5M2.FromSingle(value).Bits.Should().Be(float.IsNaN(value) ? (byte)((code & 0x80) | 0x7E) : (byte)code);
        }
    }

    [Fact]
    public void Every_bf16_code_survives_a_round_trip()
    {
        for (int code = 0; code <= ushort.MaxValue; code++)
        {
            float value = new BFloat16((ushort)code).ToSingle();
            ushort expected = float.IsNaN(value) ? (ushort)((code & 0x8000) | 0x7FC0) : (ushort)code;
            if (BFloat16.FromSingle(value).Bits != expected)
            {
                Assert.Fail($"code {code:x4} became {BFloat16.FromSingle(value).Bits:x4}");
            }
        }
    }

    [Fact]
    public void Every_fp16_value_is_left_alone_by_rounding()
    {
        for (int code = 0; code <= ushort.MaxValue; code++)
        {
            float value = (float)BitConverter.UInt16BitsToHalf((ushort)code);
            if (!SameBits(Rounding.Round(value, DataType.Fp16), value))
            {
                Assert.Fail($"{value} became {Rounding.Round(value, DataType.Fp16)}");
            }
        }
    }

    [Theory]
    [InlineData(448f, 0x7E)]
    [InlineData(464f, 0x7E)] // half-way to 480, whose code is NaN: the tie goes to the even fraction 110
    [InlineData(464.001f, 0x7F)]
    [InlineData(float.PositiveInfinity, 0x7F)]
    [InlineData(float.NegativeInfinity, 0xFF)]
    [InlineData(0.015625f, 0x08)] // 2^-6, the smallest normal number
    [InlineData(0.001953125f, 0x01)] // 2^-9, the smallest number
    [InlineData(0.0009765625f, 0x00)] // half of it: a tie, to even
    [InlineData(0.00098f, 0x01)]
    [InlineData(0.0146484375f, 0x08)] // 7.5 x 2^-9: a tie between the largest subnormal (7) and the smallest normal (8)
    [InlineData(-0f, 0x80)]
    [InlineData(1.0625f, 0x38)] // between 1 and 1.125: to even
    [InlineData(1.1875f, 0x3A)] // between 1.125 and 1.25: to even
    public void E4m3_rounds_to_nearest_even_and_overflows_to_NaN(float value, byte code) =>
        Float8E4M3.FromSingle(value).Bits.Should().Be(code);

    [Theory]
    [InlineData(57344f, 0x7B)]
    [InlineData(61439f, 0x7B)]
    [InlineData(61440f, 0x7C)] // half-way to 65536: to even, which is infinity
    [InlineData(float.NegativeInfinity, 0xFC)]
    [InlineData(1.52587890625e-5f, 0x01)] // 2^-16
    [InlineData(7.62939453125e-6f, 0x00)] // 2^-17: a tie, to even
    public void E5m2_rounds_to_nearest_even_and_overflows_to_infinity(float value, byte code) =>
        Float8E5M2.FromSingle(value).Bits.Should().Be(code);

    [Fact]
    public void Values_print_in_the_invariant_culture() =>
        (new Float8E4M3(0x7E).ToString(), new Float8E5M2(0x01).ToString(), BFloat16.FromSingle(1.5f).ToString())
            .Should().Be(("448", "1.5258789E-05", "1.5"));
}
