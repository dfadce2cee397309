using Systolic.Exploration;
using Systolic.Reporting;
using Systolic.Tests.Reporting;
using Systolic.Workloads;

namespace Systolic.Tests.Exploration;

public sealed class TrainingCostTests
{
    [Theory]
    [InlineData(12L * 8192 * 8192 * 100, 8192, 100)] // wider models are deeper instead
    [InlineData(12L * 2048 * 2048 * 16, 2048, 16)] // 128 features per layer
    public void A_model_is_a_stack_of_layers_of_twelve_squares_of_features(long parameters, long features, double layers)
    {
        (ModelShape shape, double count) = TrainingCost.LayerOf(parameters);

        shape.Hidden.Should().Be(features);
        count.Should().BeApproximately(layers, 1e-9);
        (shape.Intermediate, shape.QueryHeads * shape.HeadDim).Should().Be((4 * features, features));
    }

    [Fact]
    public void Hours_energy_and_cost_are_those_of_the_step_times_layers_and_steps()
    {
        // The hand-written run takes 50 us and 3.84 mJ. 100 layers x 2,048e6 / 2,048 = 1e8 layer steps: 5,000 s and 384 kJ.
        var plan = new ComputeOptimal(12.0 * 8192 * 8192 * 100, 2_048e6);

        TrainingCost cost = TrainingCost.From(SyntheticRun.Report, plan);

        cost.ChipHours.Should().BeApproximately(5_000.0 / 3600, 1e-9);
        cost.MegawattHours.Should().BeApproximately(384e3 / 3.6e9, 1e-12);
        cost.Days(4).Should().BeApproximately(5_000.0 / 4 / 86_400, 1e-9);
        cost.Cost(new RunningCost(3.6, 0.9)).Should().BeApproximately(5 + (384e3 / 3.6e6 * 0.9), 1e-9);
    }
}
