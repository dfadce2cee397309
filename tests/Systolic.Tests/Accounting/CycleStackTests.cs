using CsCheck;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Tests.Accounting;

public class CycleStackTests
{
    private static readonly CycleComponent[] Components = Enum.GetValues<CycleComponent>();

    private static CycleStack Stack(long[] times)
    {
        var stack = new CycleStack();
        for (int i = 0; i < times.Length; i++)
        {
            stack.Add(Components[i], new SimTime(times[i]));
        }

        return stack;
    }

    [Fact]
    public void The_parts_sum_to_the_total_exactly() =>
        Gen.Long[0, long.MaxValue / 32].Array[Components.Length].Sample(times =>
            Stack(times).Total.Value == times.Sum() && Components.All(component => Stack(times)[component].Value == times[(int)component]), iter: 200, threads: 1);

    [Fact]
    public void A_repeated_stack_is_added_part_by_part()
    {
        CycleStack once = Stack([.. Enumerable.Range(1, Components.Length).Select(i => (long)i)]);
        CycleStack sum = Stack([.. Enumerable.Repeat(100L, Components.Length)]);

        sum.Add(once, 3);

        Components.Select(component => sum[component].Value).Should().Equal(Components.Select((_, i) => 100L + 3 * (i + 1)));
    }

    [Fact]
    public void Every_component_has_its_own_label() =>
        Components.Select(CycleStack.Label).Should().OnlyHaveUniqueItems().And.HaveCount(18).And.NotContain("");

    [Theory] // The labels are a list beside the enum: both ends and a middle one must meet.
    [InlineData(CycleComponent.MatrixWork, "matrix work")]
    [InlineData(CycleComponent.MemoryBandwidth, "memory bandwidth")]
    [InlineData(CycleComponent.TailWave, "tail wave")]
    [InlineData(CycleComponent.PipelineBubble, "pipeline bubble")]
    public void A_label_names_its_component(CycleComponent component, string label) => CycleStack.Label(component).Should().Be(label);

    [Fact]
    public void Overflow_is_an_error()
    {
        CycleStack stack = Stack([long.MaxValue, 1]);

        FluentActions.Invoking(() => stack.Total).Should().Throw<OverflowException>();
        FluentActions.Invoking(() => stack.Add(CycleComponent.MatrixWork, new SimTime(1))).Should().Throw<OverflowException>();
    }
}
