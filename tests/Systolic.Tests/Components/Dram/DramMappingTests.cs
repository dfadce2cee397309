using Systolic.Components;

namespace Systolic.Tests.Components;

public class DramMappingTests
{
    [Fact]
    public void Fields_are_taken_from_the_least_significant_bit_up()
    {
        var mapping = DramMapping.Parse("co5 pc1 bg2 ba2 ro16", DramStandards.Hbm2, 1);

        // Bursts of 32 B. Burst number 0b1_10_11_1_00101: column 5, pseudo-channel 1, group 3, bank 2, row 1.
        // Banks are counted pc, group, bank: (1 * 4 + 3) * 4 + 2 = 30.
        mapping.Locate(0b1_10_11_1_00101 * 32).Should().Be(new DramLocation(0, 30, 1, 5));
        mapping.RowStride.Should().Be(32 << 10);
    }

    [Fact]
    public void A_field_in_two_parts_has_its_low_part_first()
    {
        var mapping = DramMapping.Parse("co2 pc1 bg2 ba2 co3 ro16", DramStandards.Hbm2, 1);

        // Column 0b101_10: low two bits 10, high three 101.
        mapping.Locate(0b101_00_00_0_10 * 32).Column.Should().Be(0b10110);
    }

    [Fact]
    public void The_hash_combines_column_bits_with_pseudo_channel_group_and_bank_in_this_order()
    {
        var mapping = DramMapping.Parse("mop4", DramStandards.Hbm2, 1);

        // co2 pc1 bg2 ba2 co3 ro16 xor. Column 0b10110 at pc 0, group 0, bank 0: pc ^= bit 0 = 0, group ^= bits 2..1 = 11, bank ^= bits 4..3 = 10.
        mapping.Locate(0b101_00_00_0_10 * 32).Should().Be(new DramLocation(0, (0 * 4 + 3) * 4 + 2, 0, 0b10110));
    }

    [Fact]
    public void Every_burst_has_a_place_of_its_own()
    {
        foreach (string text in (string[])["coarse", "fine", "mop4"])
        {
            var mapping = DramMapping.Parse(text, DramStandards.Hbm3, 2);
            Enumerable.Range(0, 1 << 14).Select(burst => mapping.Locate(burst * 32L)).Distinct().Should().HaveCount(1 << 14, text);
        }
    }

    [Fact]
    public void An_address_comes_back_from_its_place()
    {
        var mapping = DramMapping.Parse("fine", DramStandards.Ddr5, 4);

        foreach (long address in (long[])[0, 64, 4096, 64 * 123_457, mapping.Bursts * 64 - 64])
        {
            mapping.AddressOf(mapping.Locate(address)).Should().Be(address);
        }
    }

    [Theory]
    [InlineData("co5 pc1 bg2 ba2 ro15", "mapping \"co5 pc1 bg2 ba2 ro15\": found 15 bits of ro, expected 16: HBM2 with 1 channels has 65536 of them.")]
    [InlineData("co5 xx1", "mapping \"co5 xx1\": found the field \"xx1\", expected one of ch, pc, sid, bg, ba, co, ro with a width, such as co5.")]
    [InlineData("", "mapping \"\": found 0 bits of pc, expected 1: HBM2 with 1 channels has 2 of them.")]
    public void A_mapping_that_does_not_fit_is_refused(string text, string message)
    {
        Action parse = () => DramMapping.Parse(text, DramStandards.Hbm2, 1);

        parse.Should().Throw<ArgumentException>().WithMessage(message);
    }

    [Fact]
    public void An_address_outside_the_memory_is_refused()
    {
        var mapping = DramMapping.Parse("fine", DramStandards.Hbm2, 1);
        Action locate = () => mapping.Locate(1L << 31);

        // 2 x 16 banks of 2^16 rows of 1 KiB: 2 GiB.
        locate.Should().Throw<ArgumentOutOfRangeException>().WithMessage("address: found 2147483648, expected one from 0 to 2147483647*");
    }
}
