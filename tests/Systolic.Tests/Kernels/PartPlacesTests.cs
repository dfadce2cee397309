using Systolic.Kernels;

namespace Systolic.Tests.Kernels;

public sealed class PartPlacesTests
{
    private readonly PartPlaces _places = new();

    [Fact]
    public void Parts_go_round_the_memory()
    {
        // Three of 60 bytes fit 192 side by side; the fourth comes where the first lay, the fifth where the second did.
        Starts(192, 60, 60, 60, 60, 60).Should().Equal(0, 60, 120, 0, 60);
    }

    [Fact]
    public void A_large_part_meets_the_older_large_one_and_not_the_small_ones_since()
    {
        Starts(192, 150, 2, 2, 150).Should().Equal(0, 150, 152, 0);
    }

    [Fact]
    public void Of_neighbours_that_are_too_large_the_second_lies_as_far_off_as_it_can_and_begins_there()
    {
        _places.Next(150, 192).Should().Be((0L, false));
        _places.Next(150, 192).Should().Be((42L, true));
        _places.Next(150, 192).Should().Be((0L, false));
    }

    [Fact]
    public void A_part_stays_below_its_limit()
    {
        Starts(100, 60).Should().Equal(0);
        _places.Next(40, 90).Start.Should().Be(50, "10 bytes of the other part are the least to share");
    }

    private IEnumerable<long> Starts(long limit, params long[] parts) => [.. parts.Select(bytes => _places.Next(bytes, limit).Start)];
}
