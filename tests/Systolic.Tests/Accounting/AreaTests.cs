using Systolic.Accounting;
using Systolic.Machines;

namespace Systolic.Tests.Accounting;

public sealed class AreaTests
{
    [Fact]
    public void A_systolic_chip_is_its_components_and_a_rest()
    {
        // Trainium2 at 5 nm: 8 x 128 x 128 cells of 500 um2; 8 x 128 x (224 + 16) KiB; 4 stacks (2,900 GB/s: 3.98 of 1,024 lines at 5.69 Gb/s).
        AreaBreakdown area = MachinePresets.Trn2.Profile.Area!;

        area.Parts.Select(part => part.Component).Should().Equal("systolic array", "on-chip memory", "vector lanes", "HBM interface", "memory controllers", "rest of the die");
        area.Parts[0].Value.Should().BeApproximately(8 * 128 * 128 * 0.0005, 1e-9); // 65.5 mm2
        area.Parts[1].Value.Should().BeApproximately(8 * 30 * 0.55, 1e-9); // 132 mm2
        area.Parts[3].Value.Should().BeApproximately(4 * 10.45, 0.01);
        area.Parts[5].Value.Should().BeApproximately(0.2 * area.Parts.Take(5).Sum(part => part.Value), 1e-9);
        area.Total.Should().BeInRange(area.Low, area.High);
    }

    [Fact]
    public void A_gpu_is_the_die_that_its_vendor_states() =>
        MachinePresets.H100.Profile.Area!.Parts.Should().ContainSingle().Which.Should().BeEquivalentTo(new { Component = "die", Value = 814.0, Low = 814.0, High = 814.0 });

    [Fact]
    public void A_good_die_costs_its_share_of_the_wafer()
    {
        // 225 mm2: pi 300^2 / 900 - pi 300 / sqrt(450) = 314.2 - 44.4 = 269; yield (1 + 0.047 x 2.25)^-12 = 0.299
        var cost = new DieCost(10_000, 0.047);

        cost.DiesPerWafer(225).Should().Be(269);
        cost.Yield(225).Should().BeApproximately(0.2994, 5e-4);
        cost.PerGoodDie(225).Should().BeApproximately(10_000 / (269 * 0.2994), 0.3);
    }

    [Fact]
    public void Ranges_follow_the_rows_and_the_rest_its_share_of_the_range()
    {
        AreaBreakdown area = AreaTable.Of(7, (AreaTable.Array, 1000), (AreaTable.Memory, 10))!;

        area.Parts.Select(part => (part.Component, Math.Round(part.Value, 9), Math.Round(part.Low, 9), Math.Round(part.High, 9))).Should().Equal(
            ("systolic array", 0.85, 0.6, 1.2), ("on-chip memory", 7, 3.5, 8.75), ("rest of the die", 1.57, 0.41, 3.98)); // 0.2, 0.1 and 0.4 of the sum
        (Math.Round(area.Total, 9), Math.Round(area.Low, 9), Math.Round(area.High, 9)).Should().Be((9.42, 4.51, 13.93));
        area.Parts.Should().OnlyContain(part => part.Source.Length > 0);
    }

    [Fact]
    public void A_node_or_a_component_without_rows_has_no_area()
    {
        AreaTable.Of(45, (AreaTable.Array, 1)).Should().BeNull();
        AreaTable.Of(7, (AreaTable.Array, 1), ("steam engine", 1)).Should().BeNull();
    }
}
