using Systolic.Accounting;
using Systolic.Reporting;

namespace Systolic.Tests.Reporting;

public class RooflineTests
{
    [Fact]
    public void Run_above_the_ridge_is_limited_by_arithmetic()
    {
        Roofline roofline = Roofline.Of(SyntheticRun.Report);

        // 2 x 12e6 useful operations over 800,000 bytes = 30; ridge 2 x 1e12 / 1e11 = 20.
        roofline.Should().Be(new Roofline(30, 20));
        roofline.Limit.Should().Be(RooflineLimit.Arithmetic);
        roofline.AttainableMfu.Should().Be(1);
    }

    [Fact]
    public void Run_below_the_ridge_reaches_the_share_that_its_bytes_allow()
    {
        var roofline = new Roofline(5, 20);

        roofline.Limit.Should().Be(RooflineLimit.Memory);
        roofline.AttainableMfu.Should().Be(0.25);
    }

    [Fact]
    public void Run_without_main_memory_traffic_has_unbounded_intensity()
    {
        OperatorRun resident = SyntheticRun.Trace.Operators[0] with { Counts = SyntheticRun.Counts((ActivityKind.MacBf16, 5_000_000)) };
        RunReport report = RunReport.From(SyntheticRun.Array, SyntheticRun.Trace with { Operators = [resident] }, "toy", "resident", 1);

        Roofline.Of(report).Intensity.Should().Be(double.PositiveInfinity);
        Roofline.Of(report).AttainableMfu.Should().Be(1);
    }
}
