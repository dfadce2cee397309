using System.Numerics.Tensors;
using Systolic.Programs;

namespace Systolic.Simulation;

/// <summary>Arithmetic of the engines in fp32, one rounding each.</summary>
internal static class Alu
{
    /// <summary>first op second, element by element.</summary>
    public static void Apply(AluOperator op, ReadOnlySpan<float> first, ReadOnlySpan<float> second, Span<float> result)
    {
        switch (op)
        {
            case AluOperator.Add: TensorPrimitives.Add(first, second, result); break;
            case AluOperator.Subtract: TensorPrimitives.Subtract(first, second, result); break;
            case AluOperator.Multiply: TensorPrimitives.Multiply(first, second, result); break;
            case AluOperator.Divide: TensorPrimitives.Divide(first, second, result); break;
            default:
                for (int i = 0; i < result.Length; i++)
                {
                    result[i] = Apply(op, first[i], second[i]);
                }

                break;
        }
    }

    /// <summary>first op scalar.</summary>
    public static void Apply(AluOperator op, ReadOnlySpan<float> first, float scalar, Span<float> result)
    {
        switch (op)
        {
            case AluOperator.Bypass: first.CopyTo(result); break;
            case AluOperator.Add: TensorPrimitives.Add(first, scalar, result); break;
            case AluOperator.Subtract: TensorPrimitives.Subtract(first, scalar, result); break;
            case AluOperator.Multiply: TensorPrimitives.Multiply(first, scalar, result); break;
            default:
                for (int i = 0; i < result.Length; i++)
                {
                    result[i] = Apply(op, first[i], scalar);
                }

                break;
        }
    }

    /// <summary>The sum from the first element to the last.</summary>
    public static float Sum(ReadOnlySpan<float> values)
    {
        float sum = 0;
        foreach (float value in values)
        {
            sum += value;
        }

        return sum;
    }

    /// <summary>op from the first element to the last.</summary>
    public static float Reduce(AluOperator op, ReadOnlySpan<float> values)
    {
        float result = Apply(op == AluOperator.AbsoluteMaximum ? op : AluOperator.Bypass, values[0], 0);
        foreach (float value in values[1..])
        {
            result = Apply(op, result, value);
        }

        return result;
    }

    /// <summary>first op second.</summary>
    public static float Apply(AluOperator op, float first, float second) => op switch
    {
        AluOperator.Bypass => first,
        AluOperator.Add => first + second,
        AluOperator.Subtract => first - second,
        AluOperator.ReverseSubtract => second - first,
        AluOperator.Multiply => first * second,
        AluOperator.Divide => first / second,
        AluOperator.Maximum => MathF.Max(first, second),
        AluOperator.Minimum => MathF.Min(first, second),
        AluOperator.Power => (float)Math.Pow(first, second),
        AluOperator.Equal => first == second ? 1 : 0,
        AluOperator.Greater => first > second ? 1 : 0,
        AluOperator.GreaterOrEqual => first >= second ? 1 : 0,
        AluOperator.Less => first < second ? 1 : 0,
        _ => MathF.Max(MathF.Abs(first), MathF.Abs(second)),
    };
}
