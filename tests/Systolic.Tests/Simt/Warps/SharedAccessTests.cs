using CsCheck;
using Systolic.Simt;

namespace Systolic.Tests.Simt.Warps;

public sealed class SharedAccessTests
{
    // 32 lanes, 4 bytes each: bank = stride in words x lane mod 32; a stride of s words meets each bank gcd(s, 32) times.
    [Theory]
    [InlineData(0, 1)] // one word for all: broadcast
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(8, 8)]
    [InlineData(32, 32)]
    [InlineData(33, 1)]
    public void A_stride_of_words_conflicts_by_its_common_divisor_with_the_banks(int words, int wavefronts) =>
        SharedAccess.Wavefronts([.. Enumerable.Range(0, 32).Select(lane => 4 * words * lane)], 4).Should().Be(wavefronts);

    [Fact]
    public void Sixteen_bytes_per_lane_take_four_phases() =>
        SharedAccess.Wavefronts([.. Enumerable.Range(0, 32).Select(lane => 16 * lane)], 16).Should().Be(4);

    // Rows of 64 halves are 128 bytes: eight chunks of 16 bytes in the same four banks, 8 cycles; turned by the row, in eight different ones, 1.
    // Rows of 32 halves are 64 bytes: rows two apart share banks, 4 cycles; rows of 16, 32 bytes: four apart, 2.
    [Theory]
    [InlineData(128, false, 8)]
    [InlineData(128, true, 1)]
    [InlineData(64, false, 4)]
    [InlineData(64, true, 1)]
    [InlineData(32, false, 2)]
    [InlineData(32, true, 1)]
    [InlineData(256, true, 1)]
    public void A_swizzle_makes_a_matrix_one_wavefront(int rowBytes, bool swizzled, int wavefronts) =>
        SharedAccess.MatrixWavefronts(rowBytes, swizzled).Should().Be(wavefronts);

    [Fact]
    public void A_request_takes_at_least_its_distinct_words_over_the_banks_and_at_most_a_cycle_per_word() =>
        Gen.Int[0, 255].Array[32].Sample(words =>
        {
            int distinct = words.Distinct().Count();
            int cycles = SharedAccess.Wavefronts([.. words.Select(word => 4 * word)], 4);
            return cycles >= (distinct + 31) / 32 && cycles <= distinct;
        });

    [Theory]
    [InlineData(0, 2, 4, false, 1)] // three even registers, one bank
    [InlineData(0, 2, 4, true, 0)] // one of them kept from the instruction before
    [InlineData(0, 2, 2, false, 0)] // two distinct ones
    [InlineData(0, 1, 2, false, 0)] // both banks
    public void Three_sources_of_one_bank_cost_a_cycle(int first, int second, int third, bool reuses, int cycles) =>
        RegisterBanks.Conflict(first, second, third, reuses).Should().Be(cycles);
}
