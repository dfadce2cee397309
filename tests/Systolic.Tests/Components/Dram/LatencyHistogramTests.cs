using Systolic.Components;

namespace Systolic.Tests.Components;

public class LatencyHistogramTests
{
    [Fact]
    public void None_have_no_mean_and_no_quantile()
    {
        var none = new LatencyHistogram();

        (none.Mean, none.Maximum, none.Quantile(0.99)).Should().Be((0.0, 0L, 0L));
    }

    /// <summary>Of 1 to 100, 99 are at most 99; the mean is 50.5.</summary>
    [Fact]
    public void A_quantile_is_the_smallest_that_the_share_does_not_exceed()
    {
        var latencies = new LatencyHistogram();
        for (int latency = 100; latency > 0; latency--)
        {
            latencies.Add(latency);
        }

        latencies.Mean.Should().Be(50.5);
        latencies.Maximum.Should().Be(100);
        latencies.Quantile(0.99).Should().Be(99);
        latencies.Quantile(0.991).Should().Be(100);
        latencies.Quantile(1).Should().Be(100);
        latencies.Quantile(0.005).Should().Be(1);
        latencies.Quantile(0.01).Should().Be(1);
        latencies.Quantile(0.011).Should().Be(2);
    }

    [Theory]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(2048)]
    [InlineData(5000)]
    public void The_longest_may_be_any(long longest)
    {
        var latencies = new LatencyHistogram();
        latencies.Add(1);
        latencies.Add(longest);

        (latencies.Mean, latencies.Maximum, latencies.Quantile(1), latencies.Quantile(0.5)).Should().Be(((longest + 1) / 2.0, longest, longest, 1L));
        latencies.Counts().Should().HaveCount((int)longest + 1).And.StartWith([0L, 1L]);
        latencies.Counts()[^1].Should().Be(1);
    }

    /// <summary>Since the first of 2 there came 2, 4 and 4; twice more: 1 + 1 + 2 of 2 and 2 + 4 of 4, that is 32 over 10.</summary>
    [Fact]
    public void What_came_since_is_added_again()
    {
        var latencies = new LatencyHistogram();
        latencies.Add(2);
        long[] earlier = latencies.Counts();
        latencies.Add(2);
        latencies.Add(4);
        latencies.Add(4);

        latencies.Repeat(earlier, 2);

        latencies.Counts().Should().Equal(0, 0, 4, 0, 6);
        latencies.Mean.Should().Be(3.2);
        latencies.Quantile(0.4).Should().Be(2);
        latencies.Quantile(0.41).Should().Be(4);
    }
}
