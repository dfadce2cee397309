using CsCheck;
using Systolic.Accounting;
using Systolic.Reporting;
using Systolic.Units;

namespace Systolic.Tests.Reporting;

public class ComponentCyclesTests
{
    [Fact]
    public void Cycle_left_over_goes_to_the_part_that_lost_most()
    {
        // 10 cycles over 1 : 1 : 2 of 4 parts: 2.5, 2.5, 5 -> 2, 2, 5 and one left; the tie goes to the first component.
        CycleStack stack = SyntheticRun.Stack((CycleComponent.MatrixWork, 1), (CycleComponent.Vector, 1), (CycleComponent.Launch, 2));

        ComponentCycles.Divide(stack, new Cycles(10)).Should().Equal(
            new ComponentCycles(CycleComponent.MatrixWork, new Cycles(3)),
            new ComponentCycles(CycleComponent.Vector, new Cycles(2)),
            new ComponentCycles(CycleComponent.Launch, new Cycles(5)));
    }

    [Fact]
    public void Parts_sum_to_the_total_and_are_within_a_cycle_of_their_share() =>
        Gen.Select(Gen.Long[0, 1_000_000_000_000].Array[16], Gen.Long[0, 3_000_000_000]).Where(sample => sample.Item1.Any(part => part > 0)).Sample((parts, total) =>
        {
            CycleStack stack = SyntheticRun.Stack([.. parts.Select((part, i) => ((CycleComponent)i, part))]);
            var cycles = ComponentCycles.Divide(stack, new Cycles(total));

            cycles.Sum(part => part.Cycles.Value).Should().Be(total);
            foreach (ComponentCycles part in cycles)
            {
                double exact = (double)stack[part.Component].Value / stack.Total.Value * total;
                ((double)part.Cycles.Value).Should().BeInRange(exact - 1.001, exact + 1.001);
            }
        }, iter: 200);
}
