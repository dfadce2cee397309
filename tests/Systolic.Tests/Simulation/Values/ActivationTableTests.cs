using Systolic.Programs;
using Systolic.Simulation;

namespace Systolic.Tests.Simulation.Values;

public class ActivationTableTests
{
    // The normal distribution at 1: cumulative 0.8413447, density 0.2419707; the logistic function at 1: 0.7310586.
    [Theory]
    [InlineData(ActivationFunction.Identity, -3, -3)]
    [InlineData(ActivationFunction.Square, -3, 9)]
    [InlineData(ActivationFunction.Relu, -3, 0)]
    [InlineData(ActivationFunction.Relu, 3, 3)]
    [InlineData(ActivationFunction.Exp, 1, 2.7182818)]
    [InlineData(ActivationFunction.Sqrt, 2, 1.4142136)]
    [InlineData(ActivationFunction.Rsqrt, 4, 0.5)]
    [InlineData(ActivationFunction.Log, 2, 0.6931472)]
    [InlineData(ActivationFunction.Tanh, 1, 0.7615942)]
    [InlineData(ActivationFunction.Gelu, 1, 0.8413447)]
    [InlineData(ActivationFunction.Gelu, -1, -0.1586553)]
    [InlineData(ActivationFunction.GeluDerivative, 1, 0.8413447 + 0.2419707)]
    [InlineData(ActivationFunction.GeluDerivative, -1, 0.1586553 - 0.2419707)]
    [InlineData(ActivationFunction.Silu, 1, 0.7310586)]
    [InlineData(ActivationFunction.Silu, -1, -0.2689414)]
    [InlineData(ActivationFunction.SiluDerivative, 1, 0.7310586 * (1 + 0.2689414))]
    [InlineData(ActivationFunction.SiluDerivative, -1, 0.2689414 * (1 - 0.7310586))]
    public void A_function_is_what_it_says(ActivationFunction function, double x, double value) =>
        ActivationTable.Evaluate(function, (float)x).Should().BeApproximately((float)value, 2e-7f);
}
