using Systolic.Programs;
using Systolic.Simulation;

namespace Systolic.Tests.Simulation.Values;

public class AluTests
{
    [Theory]
    [InlineData(AluOperator.Bypass, 2, -3, 2)]
    [InlineData(AluOperator.Add, 2, -3, -1)]
    [InlineData(AluOperator.Subtract, 2, -3, 5)]
    [InlineData(AluOperator.ReverseSubtract, 2, -3, -5)]
    [InlineData(AluOperator.Multiply, 2, -3, -6)]
    [InlineData(AluOperator.Divide, 3, -2, -1.5)]
    [InlineData(AluOperator.Maximum, 2, -3, 2)]
    [InlineData(AluOperator.Minimum, 2, -3, -3)]
    [InlineData(AluOperator.Power, 2, -3, 0.125)]
    [InlineData(AluOperator.AbsoluteMaximum, 2, -3, 3)]
    [InlineData(AluOperator.AbsoluteMaximum, -4, 3, 4)]
    [InlineData(AluOperator.Equal, 2, 2, 1)]
    [InlineData(AluOperator.Equal, 2, 3, 0)]
    [InlineData(AluOperator.Greater, 3, 2, 1)]
    [InlineData(AluOperator.Greater, 2, 2, 0)]
    [InlineData(AluOperator.Greater, 1, 2, 0)]
    [InlineData(AluOperator.GreaterOrEqual, 3, 2, 1)]
    [InlineData(AluOperator.GreaterOrEqual, 2, 2, 1)]
    [InlineData(AluOperator.GreaterOrEqual, 1, 2, 0)]
    [InlineData(AluOperator.Less, 1, 2, 1)]
    [InlineData(AluOperator.Less, 2, 2, 0)]
    [InlineData(AluOperator.Less, 3, 2, 0)]
    public void Every_operator_is_what_it_says_of_numbers_of_rows_and_of_a_row_and_a_number(AluOperator op, float first, float second, float expected)
    {
        float[] row = new float[2], scaled = new float[2];

        Alu.Apply(op, [first, first], [second, second], row);
        Alu.Apply(op, [first, first], second, scaled);

        Alu.Apply(op, first, second).Should().Be(expected);
        row.Should().Equal(expected, expected);
        scaled.Should().Equal(expected, expected);
    }

    [Fact]
    public void A_row_is_reduced_from_its_first_element_to_its_last()
    {
        Alu.Sum([1, 2, 4]).Should().Be(7);
        Alu.Reduce(AluOperator.Subtract, [1, 2, 4]).Should().Be(-5);
        Alu.Reduce(AluOperator.AbsoluteMaximum, [-5]).Should().Be(5);
        Alu.Reduce(AluOperator.Maximum, [-5]).Should().Be(-5);
    }
}
