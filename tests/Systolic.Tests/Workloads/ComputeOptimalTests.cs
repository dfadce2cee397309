using Systolic.Workloads;

namespace Systolic.Tests.Workloads;

/// <summary>Hoffmann et al. 2022 (arXiv 2203.15556), figures of Tables 2, 3 and A3 and of equation 4.</summary>
public sealed class ComputeOptimalTests
{
    private const double Billion = 1e9;

    [Theory] // 400 million to 10 trillion parameters; exponents have two digits in the paper, which the far ends feel most.
    [InlineData(ScalingApproach.TrainingCurves, 1.92e19, 0.4)]
    [InlineData(ScalingApproach.TrainingCurves, 1.21e20, 1)]
    [InlineData(ScalingApproach.TrainingCurves, 1.23e22, 10)]
    [InlineData(ScalingApproach.TrainingCurves, 5.76e23, 67)]
    [InlineData(ScalingApproach.TrainingCurves, 1.27e26, 1000)]
    [InlineData(ScalingApproach.IsoFlopProfiles, 1.84e19, 0.4)]
    [InlineData(ScalingApproach.IsoFlopProfiles, 1.20e20, 1)]
    [InlineData(ScalingApproach.IsoFlopProfiles, 1.32e22, 10)]
    [InlineData(ScalingApproach.IsoFlopProfiles, 6.88e23, 67)]
    [InlineData(ScalingApproach.IsoFlopProfiles, 1.59e26, 1000)]
    public void The_first_two_approaches_give_the_tables_of_the_paper(ScalingApproach approach, double flops, double billions) =>
        ComputeOptimal.ForFlops(flops, approach).Parameters.Should().BeApproximately(billions * Billion, 0.04 * billions * Billion);

    [Fact]
    public void The_third_approach_is_equation_4()
    {
        // G = (0.34 x 406.4 / (0.28 x 410.7))^(1 / 0.62) = 1.3447; a = 0.28 / 0.62; N = G (1e24 / 6)^a
        double g = Math.Pow(0.34 * 406.4 / (0.28 * 410.7), 1 / 0.62);
        double parameters = g * Math.Pow(1e24 / 6, 0.28 / 0.62);

        ComputeOptimal plan = ComputeOptimal.ForFlops(1e24, ScalingApproach.ParametricLoss);

        g.Should().BeApproximately(1.3447, 1e-3);
        plan.Parameters.Should().BeApproximately(parameters, 1e-9 * parameters);
        plan.Parameters.Should().BeApproximately(41.3 * Billion, 0.05 * Billion);
        plan.Tokens.Should().BeApproximately(Math.Pow(1e24 / 6, 0.34 / 0.62) / g, 1e6); // D = (C / 6)^b / G

        // The optimum of the loss: a step to either side at equal FLOPs is worse.
        Loss(plan.Parameters, plan.Tokens).Should().BeLessThan(Loss(1.01 * plan.Parameters, plan.Tokens / 1.01)).And.BeLessThan(Loss(plan.Parameters / 1.01, 1.01 * plan.Tokens));
    }

    [Theory]
    [InlineData(ScalingApproach.TrainingCurves)]
    [InlineData(ScalingApproach.IsoFlopProfiles)]
    [InlineData(ScalingApproach.ParametricLoss)]
    public void Budget_and_size_lead_to_each_other(ScalingApproach approach)
    {
        ComputeOptimal plan = ComputeOptimal.ForParameters(70e9, approach);

        plan.Flops.Should().BeApproximately(6 * 70e9 * plan.Tokens, 1e12);
        ComputeOptimal.ForFlops(plan.Flops, approach).Parameters.Should().BeApproximately(70e9, 1);
    }

    private static double Loss(double parameters, double tokens) => 1.69 + (406.4 / Math.Pow(parameters, 0.34)) + (410.7 / Math.Pow(tokens, 0.28));
}
