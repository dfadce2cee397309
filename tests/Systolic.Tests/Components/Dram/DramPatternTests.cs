using Systolic.Components;

namespace Systolic.Tests.Components;

/// <summary>The formulas of docs/dram.md, bursts of 64 B: addresses by hand.</summary>
public class DramPatternTests
{
    private const long Second = 128L << 20;
    private const long Third = 256L << 20;

    // One channel of HBM2: rows of 32 bursts in 16 banks, 32 KiB to the next row of a bank.
    private static readonly DramDevice Device = new(DramStandards.Hbm2Legacy, 1, "fine", DramPolicy.Dramsim3);

    public static TheoryData<string, string, long[]> Streams { get; } = new()
    {
        { "seq_rd", "RRRR", [0, 64, 128, 192] },
        { "seq_wr", "WWWW", [0, 64, 128, 192] },
        { "rw_alt", "RWRW", [0, Second, 64, Second + 64] },
        { "rw_chunk@128", "RRWWRRWW", [0, 64, Second, Second + 64, 128, 192, Second + 128, Second + 192] },
        { "triad@128", "RRRRWWRR", [0, 64, Second, Second + 64, Third, Third + 64, 128, 192] },
        { "rd7wr1@64", "RRRRRRRWRRRRRRRW", [0, 64, 128, 192, 256, 320, 384, Second, 448, 512, 576, 640, 704, 768, 832, Second + 64] },
        { "two_rd@0", "RRRR", [0, Second, 64, Second + 64] },
        { "two_rd@4096", "RRRR", [0, Second + 4096, 64, Second + 4160] },
        // A stride of 16 MiB comes round after 64 MiB, one burst on.
        { "stride@16777216", "RRRRRR", [0, 16 << 20, 32 << 20, 48 << 20, 64, (16 << 20) + 64] },
        { "row_conflict", "RRR", [0, 32 << 10, 64 << 10] },
        { "row_conflict_wr", "WWW", [0, 32 << 10, 64 << 10] },
    };

    [Theory]
    [MemberData(nameof(Streams))]
    public void A_stream_visits_its_addresses_in_order(string pattern, string kinds, long[] addresses)
    {
        (string found, long[] visited) = Take(pattern, addresses.Length);

        visited.Should().Equal(addresses);
        found.Should().Be(kinds);
    }

    [Theory]
    [InlineData("tile", 'R')]
    [InlineData("tile_wr", 'W')]
    public void A_tile_is_128_rows_of_1_KiB_at_a_pitch_of_8_KiB(string pattern, char kind)
    {
        (string kinds, long[] at) = Take(pattern, (9 * 2048) + 1);

        at[..17].Should().Equal([.. Enumerable.Range(0, 16).Select(i => 64L * i), 8192]);
        (at[2047], at[2048], at[2048 + 16]).Should().Be(((127 * 8192) + 1024 - 64, 1024, 8192 + 1024));
        // Eight tiles side by side fill the pitch; the ninth lies 128 rows below.
        (at[7 * 2048], at[8 * 2048], at[9 * 2048]).Should().Be((7 * 1024, 128 * 8192, (128 * 8192) + 1024));
        kinds.Should().Be(new string(kind, at.Length));
    }

    [Fact]
    public void Conflicts_come_round_after_a_gibibyte() => Take("row_conflict", 32770).Addresses[^3..].Should().Equal((1L << 30) - (32 << 10), 0, 32 << 10);

    [Fact]
    public void Random_streams_follow_one_generator_over_256_MiB()
    {
        // state = 6364136223846793005 state + 1442695040888963407, from 1; the upper 31 bits modulo the chunks of 256 MiB, here 2^21 of 128 B.
        // First states: 7806831264735756412, 9396908728118811419, 11960119808228829710; shifted right by 33: 908834774, 1093944153, 1392341196.
        long[] chunks = [908834774 % (1 << 21) * 128L, 1093944153 % (1 << 21) * 128L, 1392341196 % (1 << 21) * 128L];
        long[] addresses = [.. chunks.SelectMany(chunk => (long[])[chunk, chunk + 64])];

        Take("rand@128", 6).Should().BeEquivalentTo(("RRRRRR", addresses));
        Take("rand_wr@128", 6).Should().BeEquivalentTo(("WWWWWW", addresses));
        // Written where bit 30 is set: from 2^30 = 1,073,741,824 on.
        Take("rand_rw@128", 6).Should().BeEquivalentTo(("RRWWWW", addresses));
    }

    [Theory]
    [InlineData("micro_cold", new[] { 0, 0 })]
    [InlineData("micro_hit", new[] { 0, 0, 0, 0 })]
    [InlineData("micro_conflict", new[] { 0, 0, 0, 1 })]
    [InlineData("micro_conflict4", new[] { 0, 0, 0, 1, 0, 2, 0, 3 })]
    [InlineData("micro_bank", new[] { 0, 0, 1, 0 })]
    [InlineData("micro_group", new[] { 0, 0, 4, 0 })]
    [InlineData("micro_act8", new[] { 0, 0, 4, 0, 8, 0, 12, 0, 1, 0, 5, 0, 9, 0, 13, 0 })]
    public void A_probe_is_a_list_of_banks_and_rows(string pattern, int[] banksAndRows)
    {
        (string kinds, long[] addresses) = Take(pattern, banksAndRows.Length / 2);

        addresses.Select(Device.Mapping.Locate).SelectMany(at => (int[])[at.Bank, at.Row]).Should().Equal(banksAndRows);
        kinds.Should().Be(new string('R', addresses.Length));
        DramPattern.Parse(pattern, Device).Requests.Should().Be(addresses.Length);
    }

    [Fact]
    public void Probes_of_hits_go_on_in_the_row()
    {
        Take("micro_hit8", 8).Addresses.Select(Device.Mapping.Locate).Should().Equal(Enumerable.Range(0, 8).Select(column => new DramLocation(0, 0, 0, column)));
        // Eight banks, then each of them three times more in the next columns.
        Take("micro_act8_hit", 32).Addresses.Select(Device.Mapping.Locate).Should().Equal(
            Enumerable.Range(0, 32).Select(k => new DramLocation(0, (k % 4 * 4) + (k / 4 % 2), 0, k / 8)));
        DramPattern.Parse("micro_act8_hit", Device).Requests.Should().Be(32);
        DramPattern.Parse("seq_rd", Device).Requests.Should().BeNull();
    }

    // The distance is a row of all 16 banks, 32 KiB, or the least common multiple with a chunk: 48 KiB and 32 KiB meet at 96 KiB.
    [Theory]
    [InlineData("seq_rd", 512, 32 << 10, 512, 0)]
    [InlineData("seq_wr", 512, 32 << 10, 512, 0)]
    [InlineData("rw_alt", 1024, 32 << 10, 1024, Second)]
    [InlineData("rw_chunk@49152", 3072, 96 << 10, 4, Second)]
    [InlineData("triad@4096", 1536, 32 << 10, 24, Third)]
    [InlineData("two_rd@640", 1024, 32 << 10, 1024, Second + 640)]
    public void A_stream_repeats_where_rows_and_chunks_end_together(string pattern, long bursts, long bytes, long chunks, long highest)
    {
        DramRepetition repetition = DramPattern.Parse(pattern, Device).Repetition!;
        repetition.Should().Be(new DramRepetition(bursts, bytes, chunks, highest));

        // Skipped twice, the walk goes on as the one that went there.
        (DramPattern.Walk gone, DramPattern.Walk skipped) = (DramPattern.Parse(pattern, Device).Start(64), DramPattern.Parse(pattern, Device).Start(64));
        long[] before = Next(skipped, 5);
        Next(gone, (int)(2 * bursts) + 5)[^5..].Should().Equal(before.Select(address => address + (2 * bytes)));
        skipped.Skip(repetition, 2);
        for (long i = 0; i < 2 * bursts; i++)
        {
            (skipped.Next(), skipped.IsWrite).Should().Be((gone.Next(), gone.IsWrite));
        }
    }

    [Theory]
    [InlineData("stride@4096")]
    [InlineData("rand@64")]
    [InlineData("rd7wr1@64")]
    [InlineData("row_conflict")]
    [InlineData("tile")]
    [InlineData("micro_hit8")]
    public void Others_do_not_repeat(string pattern) => DramPattern.Parse(pattern, Device).Repetition.Should().BeNull();

    [Theory]
    [InlineData("seq", "pattern: found \"seq\", expected one of: seq_rd, seq_wr, rw_alt, rw_chunk@BYTES, triad@BYTES,*, micro_act8_hit.")]
    [InlineData("rand@32", "pattern: found \"rand@32\", expected rand@BYTES with a multiple of the burst of 64 bytes from 64 to 67108864.")]
    [InlineData("rand@96", "*multiple of the burst of 64*")]
    [InlineData("rand@67108928", "*to 67108864.")]
    [InlineData("rand@0", "*from 64 to*")]
    [InlineData("rand@-64", "*from 64 to*")]
    [InlineData("rand@ 64", "*from 64 to*")]
    [InlineData("two_rd@32", "*two_rd@BYTES with a multiple of the burst of 64 bytes from 0 to 67108864.")]
    public void What_is_not_a_pattern_is_refused(string text, string message) =>
        FluentActions.Invoking(() => DramPattern.Parse(text, Device)).Should().Throw<ArgumentException>().WithMessage(message);

    [Fact]
    public void A_size_may_be_as_large_as_64_MiB() => Take("rw_chunk@67108864", 1).Addresses.Should().Equal(0);

    private static long[] Next(DramPattern.Walk walk, int count)
    {
        var addresses = new long[count];
        foreach (ref long address in addresses.AsSpan())
        {
            address = walk.Next();
        }

        return addresses;
    }

    private static (string Kinds, long[] Addresses) Take(string pattern, int count)
    {
        DramPattern parsed = DramPattern.Parse(pattern, Device);
        parsed.Name.Should().Be(pattern);
        DramPattern.Walk walk = parsed.Start(64);
        (var kinds, var addresses) = (new char[count], new long[count]);
        for (int i = 0; i < count; i++)
        {
            (addresses[i], kinds[i]) = (walk.Next(), walk.IsWrite ? 'W' : 'R');
        }

        return (new string(kinds), addresses);
    }
}
