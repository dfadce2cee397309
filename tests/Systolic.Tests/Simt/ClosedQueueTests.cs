using Systolic.Simt;

namespace Systolic.Tests.Simt;

public sealed class ClosedQueueTests
{
    [Fact]
    public void One_context_visits_the_stations_one_after_the_other() => ClosedQueue.Interval(1, 3, 4, 5).Should().Be(12);

    [Fact]
    public void Two_contexts_at_two_equal_stations_finish_every_one_and_a_half_services()
    {
        // Balanced network: interval = d (n + stations - 1) / n = 2 x 3 / 2.
        ClosedQueue.Interval(2, 2, 2).Should().BeApproximately(3, 1e-12);
    }

    [Fact]
    public void Many_contexts_approach_the_slowest_station_from_above()
    {
        double interval = ClosedQueue.Interval(200, 1, 4, 2);
        interval.Should().BeInRange(4, 4.0001);
    }
}
