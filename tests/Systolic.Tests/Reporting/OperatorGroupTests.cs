using Systolic.Accounting;
using Systolic.Reporting;
using Systolic.Units;

namespace Systolic.Tests.Reporting;

public class OperatorGroupTests
{
    [Fact]
    public void Operators_of_one_kind_and_shape_are_one_line_and_the_longest_comes_first()
    {
        var groups = OperatorGroup.Of(SyntheticRun.Report);

        // 3 products of 10 us, most of it (6 us each) matrix work; 2 norms of 5 us.
        groups.Select(group => (group.Kind, group.Runs, group.Time, group.Leading)).Should().Equal(
            ("matmul", 3L, SimTime.FromMicroseconds(30), CycleComponent.MatrixWork), ("norm", 2L, SimTime.FromMicroseconds(10), CycleComponent.Vector));
        groups[0].Names.Should().Equal("q_proj", "k_proj");
        groups[0].Share.Should().Be(0.6);
        groups[0].Bound.Should().Be(SimTime.FromMicroseconds(12));
    }
}
