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
        // 132 x 4096 FLOP per cycle at 0.85 pJ: 910.0 W at 1.98 GHz, beside 288 W of clocks and instruction supply, against 700 - 70 = 630 W.
        // Both go as clock x clock^1.3, so clock = 1.98 GHz x (630 / 1198)^(1 / 2.3) = 1.497 GHz.
        double hertz = PowerCap.Clock(H100, new Compute(1e6), 0, 132 * 4096 * 1e6);
        hertz.Should().BeApproximately(1980e6 * Math.Pow(630 / ((132 * 4096 * 0.85e-12 * 1980e6) + 288), 1 / 2.3), 1e3);
        hertz.Should().BeApproximately(1.497e9, 1e6);
    }
}
