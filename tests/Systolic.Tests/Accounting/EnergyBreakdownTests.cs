using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Tests.Accounting;

public sealed class EnergyBreakdownTests
{
    private static EnergyPart Part(string component, double joules) =>
        new(component, Energy.FromJoules(joules), Energy.FromJoules(joules / 2), Energy.FromJoules(joules * 2)) { Assumed = Energy.FromJoules(joules / 4) };

    [Fact]
    public void Several_runs_add_by_component_in_the_order_of_reports()
    {
        EnergyBreakdown first = new([Part("idle", 4)]), second = new([Part("matrix arithmetic", 8), Part("idle", 16)]);

        EnergyBreakdown sum = EnergyBreakdown.Sum([(first, 3), (second, 2)]);

        sum.Parts.Should().Equal(Part("matrix arithmetic", 16), Part("idle", 44)); // 3 x 4 + 2 x 16, with its range and its assumed part
        (sum.Low.Joules, sum.Total.Joules, sum.High.Joules).Should().Be((30, 60, 120));
        sum.AssumedShare.Should().Be(0.25);
    }

    [Fact]
    public void Nothing_rests_on_assumptions_where_nothing_is_spent() => new EnergyBreakdown([]).AssumedShare.Should().Be(0);
}
