using Systolic.Simulation;

namespace Systolic.Tests.Simulation.Values;

public class NormalDistributionTests
{
    /// <summary>erfc(-x / sqrt 2) / 2 of the C library, on both sides of 3, where the series ends and the continued fraction begins.</summary>
    [Theory]
    [InlineData(-10, 7.61985302416059e-24)]
    [InlineData(-4, 3.1671241833119986e-05)]
    [InlineData(-3, 0.0013498980316300957)]
    [InlineData(-1, 0.15865525393145707)]
    [InlineData(0, 0.5)]
    [InlineData(0.5, 0.6914624612740131)]
    [InlineData(1, 0.8413447460685429)]
    [InlineData(3, 0.9986501019683699)]
    [InlineData(6, 0.9999999990134123)]
    public void The_cumulative_probability_is_that_of_the_error_function(double x, double probability) =>
        NormalDistribution.Cumulative(x).Should().BeApproximately(probability, 1e-13 * probability);

    [Fact]
    public void Far_away_it_is_0_and_1_and_nothing_of_nothing()
    {
        NormalDistribution.Cumulative(-41).Should().Be(0);
        NormalDistribution.Cumulative(41).Should().Be(1);
        NormalDistribution.Cumulative(-30).Should().BeGreaterThan(0);
        NormalDistribution.Cumulative(double.NaN).Should().Be(double.NaN);
    }
}
