using CsCheck;
using Systolic.Accounting;

namespace Systolic.Tests.Accounting;

public class ActivityCountsTests
{
    [Fact]
    public void Every_kind_belongs_to_a_component_and_components_are_contiguous()
    {
        string[] components = [.. Enum.GetValues<ActivityKind>().Select(kind => kind.Component())];

        components.Should().HaveCount(ActivityKinds.Count).And.NotContain("");
        components.Where((component, i) => i == 0 || component != components[i - 1]).Should().OnlyHaveUniqueItems().And.HaveCount(13);
    }

    [Fact]
    public void Multiply_accumulates_are_summed_over_types_and_memory_over_directions()
    {
        var counts = new ActivityCounts();
        for (ActivityKind kind = ActivityKind.MacFp32; kind <= ActivityKind.MacPadding; kind++)
        {
            counts.Add(kind, 1L << (int)kind);
        }

        counts.Add(ActivityKind.PePipeline, 1000); // no multiply-accumulate
        counts.Add(ActivityKind.DramReadByte, 3);
        counts.Add(ActivityKind.DramWriteByte, 4);
        counts.Add(ActivityKind.L2Byte, 100); // no main memory

        counts.Macs.Should().Be(511); // 1 + 2 + ... + 256: eight types and padding
        counts.DramBytes.Should().Be(7);
    }

    [Fact]
    public void Adding_a_multiple_equals_adding_so_often() =>
        Gen.Select(Gen.Long[0, 1_000_000].Array[ActivityKinds.Count], Gen.Int[0, 20]).Sample((values, factor) =>
        {
            var one = new ActivityCounts();
            for (int i = 0; i < values.Length; i++)
            {
                one.Add((ActivityKind)i, values[i]);
            }

            ActivityCounts once = new(), often = new();
            once.Add(one, factor);
            for (int i = 0; i < factor; i++)
            {
                often.Add(one, 1);
            }

            return once.Equals(often) && once.GetHashCode() == often.GetHashCode();
        }, iter: 200, threads: 1);

    [Fact]
    public void One_different_count_makes_counts_unequal()
    {
        ActivityCounts left = new(), right = new();
        left.Equals(right).Should().BeTrue();

        right.Add(ActivityKind.L2Byte, 1);

        left.Equals(right).Should().BeFalse();
        left.Equals((object)"counts").Should().BeFalse();
        left.Equals(null).Should().BeFalse();
    }

    [Fact]
    public void Overflow_is_an_error_and_not_a_negative_count()
    {
        var counts = new ActivityCounts();
        counts.Add(ActivityKind.MacBf16, long.MaxValue - 1);
        var sum = new ActivityCounts();

        FluentActions.Invoking(() => counts.Add(ActivityKind.MacBf16, 2)).Should().Throw<OverflowException>();
        FluentActions.Invoking(() => sum.Add(counts, 2)).Should().Throw<OverflowException>();
        counts.Add(ActivityKind.MacInt8, 2);
        FluentActions.Invoking(() => counts.Macs).Should().Throw<OverflowException>();
        counts[ActivityKind.MacBf16].Should().Be(long.MaxValue - 1);
    }

    [Theory]
    [InlineData("matrix arithmetic", ActivityKind.MacFp32, ActivityKind.MacPadding)]
    [InlineData("systolic array", ActivityKind.PePipeline, ActivityKind.WeightLoad)]
    [InlineData("scratchpad", ActivityKind.ScratchpadReadByte, ActivityKind.ScratchpadWriteByte)]
    [InlineData("accumulator memory", ActivityKind.AccumulatorReadByte, ActivityKind.AccumulatorWriteByte)]
    [InlineData("vector arithmetic", ActivityKind.VectorOp, ActivityKind.SpecialFunctionOp)]
    [InlineData("engine control", ActivityKind.EngineLaneOverhead, ActivityKind.EngineInstruction)]
    [InlineData("shared cache", ActivityKind.SharedCacheReadByte, ActivityKind.SharedCacheMiss)]
    [InlineData("main memory", ActivityKind.DramReadByte, ActivityKind.DramRefresh)]
    [InlineData("on-chip network", ActivityKind.NetworkByte, ActivityKind.NetworkByte)]
    [InlineData("links", ActivityKind.LinkByte, ActivityKind.LinkByte)]
    [InlineData("instruction and operand supply", ActivityKind.SimtLaneOverhead, ActivityKind.TensorCoreControl)]
    [InlineData("shared memory", ActivityKind.SharedMemoryByte, ActivityKind.SharedMemoryByte)]
    [InlineData("L2 cache", ActivityKind.L2Byte, ActivityKind.L2Byte)]
    public void A_component_spends_the_energy_of_its_kinds_and_of_no_other(string component, ActivityKind first, ActivityKind last) =>
        Enum.GetValues<ActivityKind>().Where(kind => kind.Component() == component).Should().Equal(Enum.GetValues<ActivityKind>().Where(kind => kind >= first && kind <= last));

    [Fact]
    public void Main_memory_and_links_are_off_the_chip() =>
        Enum.GetValues<ActivityKind>().Where(kind => kind.IsOffChip()).Should().Equal(
            ActivityKind.DramReadByte, ActivityKind.DramWriteByte, ActivityKind.DramActivate, ActivityKind.DramRefresh, ActivityKind.LinkByte);
}
