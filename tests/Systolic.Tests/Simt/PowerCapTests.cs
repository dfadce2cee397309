using Systolic.Simt;
using Systolic.Tests.Machines;

namespace Systolic.Tests.Simt;

public sealed class PowerCapTests
{
    private static readonly SimtSpec H100 = SimtPresets.Load("h100").Spec;

    private readonly struct Compute(double cycles) : IKernelTime
    {
        public double SecondsAt(double hertz) => cycles / hertz;
    }

    [Fact]
    public void Work_within_the_cap_runs_at_the_highest_clock() =>
        PowerCap.Clock(H100, new Compute(1e6), 0, 1).Should().Be(1980e6);

    [Fact]
    public void Tensor_work_settles_where_dynamic_power_meets_the_cap()
    {
        // 132 x 4096 FLOP per cycle at 1.17 pJ: at 1.98 GHz 1252.5 W above the floor, against 700 - 105 = 595 W.
        // Power goes as clock x clock^1.3, so clock = 1.98 GHz x (595 / 1252.5)^(1 / 2.3) = 1.433 GHz.
        double hertz = PowerCap.Clock(H100, new Compute(1e6), 0, 132 * 4096 * 1e6);
        hertz.Should().BeApproximately(1980e6 * Math.Pow(595 / (132 * 4096 * 1.17e-12 * 1980e6), 1 / 2.3), 1e3);
        hertz.Should().BeApproximately(1.433e9, 1e6);
    }
}
