using Systolic.Components;

namespace Systolic.Tests.Components;

public class ScaleSimReportWriterTests
{
    private static readonly ScaleSimReport[] Layers =
    [
        ScaleSimModel.Run(new ScaleSimConfiguration(4, 4, ScaleSimDataflow.OutputStationary, 1, 1, 1), ScaleSimLayer.Gemm("g", 4, 4, 4)),
        ScaleSimModel.Run(new ScaleSimConfiguration(1, 1, ScaleSimDataflow.OutputStationary, 1, 1, 1), ScaleSimLayer.Gemm("h", 1, 1, 1)),
    ];

    // The figures are those of ScaleSimModelTests.Output_stationary_4x4x4_by_hand; 16 / 9, 24 / 9 and 64 / 144 as Python prints them.
    [Fact]
    public void Compute_report() => Text(ScaleSimReportWriter.WriteCompute).Should().Equal(
        "LayerID, Total Cycles (incl. prefetch), Total Cycles, Stall Cycles, Overall Util %, Mapping Efficiency %, Compute Util %,",
        "0, 14, 9, 0, 44.44444444444444, 100.0, 40.0,",
        "1, 1, 0, 0, inf, 100.0, 100.0,");

    [Fact]
    public void Bandwidth_report() => Text(ScaleSimReportWriter.WriteBandwidth).Should().StartWith(
    [
        "LayerID, Avg IFMAP SRAM BW, Avg FILTER SRAM BW, Avg OFMAP SRAM BW, Avg IFMAP DRAM BW, Avg FILTER DRAM BW, Avg OFMAP DRAM BW,",
        "0, 1.7777777777777777, 1.7777777777777777, 2.6666666666666665, 8.0, 8.0, 4.0,",
    ]);

    [Fact]
    public void Detailed_access_report() => Text(ScaleSimReportWriter.WriteDetailedAccess).Should().StartWith(
    [
        "LayerID, SRAM IFMAP Start Cycle, SRAM IFMAP Stop Cycle, SRAM IFMAP Reads, SRAM Filter Start Cycle, SRAM Filter Stop Cycle, SRAM Filter Reads, "
            + "SRAM OFMAP Start Cycle, SRAM OFMAP Stop Cycle, SRAM OFMAP Writes, DRAM IFMAP Start Cycle, DRAM IFMAP Stop Cycle, DRAM IFMAP Reads, "
            + "DRAM Filter Start Cycle, DRAM Filter Stop Cycle, DRAM Filter Reads, DRAM OFMAP Start Cycle, DRAM OFMAP Stop Cycle, DRAM OFMAP Writes,",
        "0, 1.0, 7.0, 16, 1.0, 7.0, 16, 3.0, 9.0, 24, -2.0, -1.0, 16, -2.0, -1.0, 16, 9.0, 12.0, 16,",
    ]);

    private static string[] Text(Action<TextWriter, IEnumerable<ScaleSimReport>> write)
    {
        using var output = new StringWriter();
        write(output, Layers);
        return output.ToString().TrimEnd('\n').Split('\n');
    }
}
