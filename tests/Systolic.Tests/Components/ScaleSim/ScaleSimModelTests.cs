using CsCheck;
using Systolic.Components;

namespace Systolic.Tests.Components;

public class ScaleSimModelTests
{
    private static readonly Gen<ScaleSimConfiguration> Machines =
        from rows in Gen.Long[1, 9]
        from columns in Gen.Long[1, 9]
        from dataflow in Gen.Enum<ScaleSimDataflow>()
        from ifmap in Gen.Long[1, 2]
        from filter in Gen.Long[1, 2]
        from ofmap in Gen.Long[1, 2]
        from user in Gen.Bool
        from bandwidth in Gen.Select(Gen.Long[1, 12], Gen.Long[1, 12], Gen.Long[1, 12])
        select new ScaleSimConfiguration(rows, columns, dataflow, ifmap, filter, ofmap)
        {
            Bandwidth = user ? new ScaleSimBandwidth(bandwidth.Item1, bandwidth.Item2, bandwidth.Item3) : null,
        };

    private static readonly Gen<ScaleSimLayer> Gemms =
        from m in Gen.Long[1, 60]
        from k in Gen.Long[1, 60]
        from n in Gen.Long[1, 60]
        select ScaleSimLayer.Gemm("gemm", m, k, n);

    private static readonly Gen<ScaleSimLayer> Convolutions =
        from filterHeight in Gen.Long[1, 4]
        from filterWidth in Gen.Long[1, 4]
        from height in Gen.Long[0, 14]
        from width in Gen.Long[0, 14]
        from channels in Gen.Long[1, 7]
        from filters in Gen.Long[1, 20]
        from stride in Gen.Long[1, 5]
        select ScaleSimLayer.Conv("conv", new ScaleSimConvolution(filterHeight + height, filterWidth + width, filterHeight, filterWidth, channels, filters, stride));

    [Fact]
    public void Products_equal_the_walk_over_every_word() =>
        Gen.Select(Machines, Gemms).Sample((machine, layer) => EqualsWalk(machine, layer), iter: 600, threads: 1);

    [Fact]
    public void Convolutions_equal_the_walk_over_every_word() =>
        Gen.Select(Machines, Convolutions).Sample((machine, layer) => EqualsWalk(machine, layer), iter: 600, threads: 1);

    [Theory]
    [InlineData(ScaleSimDataflow.OutputStationary)]
    [InlineData(ScaleSimDataflow.WeightStationary)]
    [InlineData(ScaleSimDataflow.InputStationary)]
    public void Smallest_shapes_equal_the_walk(ScaleSimDataflow dataflow)
    {
        foreach (long size in (long[])[1, 2, 3])
        {
            for (long shape = 0; shape < 27; shape++)
            {
                var layer = ScaleSimLayer.Gemm("small", 1 + (shape % 3), 1 + (shape / 3 % 3), 1 + (shape / 9));
                EqualsWalk(new ScaleSimConfiguration(size, 4 - size, dataflow, 1, 1, 1), layer).Should().BeTrue();
                EqualsWalk(new ScaleSimConfiguration(size, 4 - size, dataflow, 1, 1, 1) { Bandwidth = new(1, 2, 3) }, layer).Should().BeTrue();
            }
        }
    }

    [Theory]
    [InlineData(ScaleSimDataflow.OutputStationary)]
    [InlineData(ScaleSimDataflow.WeightStationary)]
    [InlineData(ScaleSimDataflow.InputStationary)]
    public void An_output_port_slower_than_the_array_stalls_it(ScaleSimDataflow dataflow)
    {
        // Outputs leave 8 a cycle and drain 1 a cycle.
        var machine = new ScaleSimConfiguration(2, 8, dataflow, 64, 64, 1) { Bandwidth = new(64, 64, 1) };
        var layer = ScaleSimLayer.Gemm("wide", 120, 2, 120);

        ScaleSimModel.Run(machine, layer).StallCycles.Should().BePositive();
        EqualsWalk(machine, layer).Should().BeTrue();
    }

    [Fact]
    public void Output_stationary_4x4x4_by_hand()
    {
        ScaleSimReport report = ScaleSimModel.Run(new ScaleSimConfiguration(4, 4, ScaleSimDataflow.OutputStationary, 1, 1, 1), ScaleSimLayer.Gemm("g", 4, 4, 4));

        // One fold of R + C + T - 2 = 10 cycles, reported as the index of the last.
        report.TotalCycles.Should().Be(9);
        report.StallCycles.Should().Be(0);

        // 64 MACs over 16 cells x 9; all cells used; T / P = 4 / 10.
        report.UtilizationPercent.Should().BeApproximately(100 * 64 / 144.0, 1e-12);
        report.MappingEfficiencyPercent.Should().Be(100);
        report.ComputeUtilizationPercent.Should().Be(40);

        // Row 3 asks for its element 3 in cycle 6; served a cycle later. 16 words are 2 granules of 10, read at 10 a cycle before cycle 0.
        report.Ifmap.Should().Be(new ScaleSimTraffic(new(1, 7, 16), new(-2, -1, 16)));
        report.Filter.Should().Be(report.Ifmap);

        // Outputs from cycle T - 1 = 3 to 3 + 3 + 3; the count is 16 plus the quirk's R + C. They drain 4 a cycle from cycle 9.
        report.Ofmap.Should().Be(new ScaleSimTraffic(new(3, 9, 16 + 8), new(9, 12, 16)));
        report.TotalCyclesWithPrefetch.Should().Be(12 - -2);
    }

    [Fact]
    public void Weight_stationary_pays_the_load_of_each_tile()
    {
        ScaleSimReport report = ScaleSimModel.Run(new ScaleSimConfiguration(4, 4, ScaleSimDataflow.WeightStationary, 1, 1, 1), ScaleSimLayer.Gemm("g", 5, 8, 4));

        // Two row folds of 2R + C + T - 2 = 15 cycles.
        report.TotalCycles.Should().Be((2 * 15) - 1);
        report.ComputeCycles.Should().Be(29);

        // T / (P + C - 1), the skew counted twice.
        report.ComputeUtilizationPercent.Should().BeApproximately(100 * 5 / 18.0, 1e-12);
        report.Ifmap.Sram.Words.Should().Be(5 * 8);
        report.Filter.Sram.Words.Should().Be(8 * 4);

        // Each row fold writes all partial sums.
        report.Ofmap.Sram.Words.Should().Be(5 * 4 * 2);
    }

    [Fact]
    public void A_positive_wait_is_added_twice()
    {
        // 1x2 output-stationary array, K = 600, 1 kB SRAMs, one word a cycle. Granules of ceil(1024 / 100) = 11 words, of which ceil(512 / 11) = 47 are held: 517 words.
        var machine = new ScaleSimConfiguration(1, 2, ScaleSimDataflow.OutputStationary, 1, 1, 1) { Bandwidth = new(1, 1, 1) };
        ScaleSimReport report = ScaleSimModel.Run(machine, ScaleSimLayer.Gemm("g", 1, 600, 2));

        // In cycle t the two columns ask for words 2t - 1 and 2t. Word 517 misses in cycle 259: the step ends in cycle -1 + 513 = 512, the wait 512 - 260 = 252 counts
        // as 504. Word 1034 misses in cycle 517 + 504 = 1021: the step ends in 512 + 513 = 1025, the wait 1025 - 1022 = 3 counts as 6.
        report.StallCycles.Should().Be(504 + 6);

        // R + C + T - 2 = 601 cycles.
        report.TotalCycles.Should().Be(600 + 510);

        // 512 lines at first, 512 with each step.
        report.Filter.Dram.Should().Be(new ScaleSimAccesses(-512, 1025, 3 * 512));

        // The ifmap, a word a cycle, misses at word 517 only, long after its step has ended.
        report.Ifmap.Dram.Should().Be(new ScaleSimAccesses(-512, 512, 2 * 512));
    }

    [Fact]
    public void A_window_that_hangs_over_asks_for_no_pixel_there()
    {
        // 4 wide, filter 2, stride 3: windows at 0 and 3, of which the second has a single pixel. 2x2 windows of 2x2 taps hold 9 pixels, all different.
        var shape = new ScaleSimConvolution(4, 4, 2, 2, 1, 1, 3);
        ScaleSimReport report = ScaleSimModel.Run(new ScaleSimConfiguration(4, 4, ScaleSimDataflow.WeightStationary, 1, 1, 1), ScaleSimLayer.Conv("c", shape));

        (shape.OutputHeight, shape.OutputWidth).Should().Be((2, 2));
        report.Ifmap.Dram.Words.Should().Be(9);

        // Counted with the four windows' nulls.
        report.Ifmap.Sram.Words.Should().Be(16);
    }

    [Fact]
    public void A_layer_of_a_single_cycle_has_infinite_utilization()
    {
        ScaleSimReport report = ScaleSimModel.Run(new ScaleSimConfiguration(1, 1, ScaleSimDataflow.OutputStationary, 1, 1, 1), ScaleSimLayer.Gemm("g", 1, 1, 1));

        report.TotalCycles.Should().Be(0);
        report.UtilizationPercent.Should().Be(double.PositiveInfinity);
    }

    [Fact]
    public void Sizes_beyond_64_bits_are_refused()
    {
        Action run = () => ScaleSimModel.Run(
            new ScaleSimConfiguration(1, 1, ScaleSimDataflow.WeightStationary, 1, 1, 1), ScaleSimLayer.Gemm("g", 1L << 30, 1L << 30, 1L << 30));

        run.Should().Throw<OverflowException>();
    }

    [Fact]
    public void A_filter_larger_than_the_input_is_refused()
    {
        Action make = () => ScaleSimLayer.Conv("c", new ScaleSimConvolution(2, 9, 3, 3, 1, 1, 1));

        make.Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void A_port_without_bandwidth_is_refused()
    {
        Action run = () => ScaleSimModel.Run(new ScaleSimConfiguration(1, 1, ScaleSimDataflow.OutputStationary, 1, 1, 1) { Bandwidth = new(1, 0, 1) }, ScaleSimLayer.Gemm("g", 1, 1, 1));

        run.Should().Throw<ArgumentException>().WithMessage("*expected every size and bandwidth to be at least 1*");
    }

    private static bool EqualsWalk(ScaleSimConfiguration machine, ScaleSimLayer layer) =>
        ScaleSimWalk.FiguresOf(ScaleSimModel.Run(machine, layer)).SequenceEqual(new ScaleSimWalk(machine, layer).Figures());
}
