using Systolic.Programs;

namespace Systolic.Simulation;

/// <summary>The scalar engine's functions, evaluated in double precision and rounded to fp32; the error of the hardware's tables is not modelled.</summary>
internal static class ActivationTable
{
    /// <summary>function(x).</summary>
    public static float Evaluate(ActivationFunction function, float x) => function switch
    {
        ActivationFunction.Identity => x,
        ActivationFunction.Square => x * x,
        ActivationFunction.Relu => MathF.Max(x, 0),
        _ => (float)Evaluate(function, (double)x),
    };

    private static double Evaluate(ActivationFunction function, double x) => function switch
    {
        ActivationFunction.Exp => Math.Exp(x),
        ActivationFunction.Sqrt => Math.Sqrt(x),
        ActivationFunction.Rsqrt => 1 / Math.Sqrt(x),
        ActivationFunction.Gelu => x * NormalDistribution.Cumulative(x),
        ActivationFunction.Silu => x / (1 + Math.Exp(-x)),
        ActivationFunction.Tanh => Math.Tanh(x),
        ActivationFunction.Log => Math.Log(x),
        ActivationFunction.GeluDerivative => NormalDistribution.Cumulative(x) + (x * NormalDistribution.Density(x)),
        ActivationFunction.SiluDerivative => SiluDerivative(1 / (1 + Math.Exp(-x)), x),
        _ => throw new ArgumentOutOfRangeException(nameof(function), function, "found no such function"),
    };

    private static double SiluDerivative(double sigmoid, double x) => sigmoid * (1 + (x * (1 - sigmoid)));
}
