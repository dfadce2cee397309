using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Tests.Accounting;

public class EnergyReferenceTableTests
{
    private const string Header = "activity,node_nm,machine,energy_pj,low_pj,high_pj,confidence,source,notes\n";

    private static readonly ActivityKind[] Both =
    [
        ActivityKind.MacFp32, ActivityKind.MacTf32, ActivityKind.MacBf16, ActivityKind.MacFp16, ActivityKind.MacFp8, ActivityKind.MacFp4, ActivityKind.MacInt8, ActivityKind.MacInt4,
        ActivityKind.VectorOp, ActivityKind.SpecialFunctionOp, ActivityKind.DramReadByte, ActivityKind.DramWriteByte, ActivityKind.DramActivate, ActivityKind.DramRefresh, ActivityKind.LinkByte,
    ];

    private static readonly ActivityKind[] Simt =
    [
        ActivityKind.MacPadding, ActivityKind.SimtLaneOverhead, ActivityKind.SimtWarpIssue, ActivityKind.TensorCoreControl, ActivityKind.SharedMemoryByte, ActivityKind.L2Byte,
    ];

    public static TheoryData<ActivityKind, int, string> Countable()
    {
        var data = new TheoryData<ActivityKind, int, string>();
        foreach (ActivityKind kind in Enum.GetValues<ActivityKind>())
        {
            foreach (int node in Simt.Contains(kind) ? [] : (int[])[16, 7, 5, 3])
            {
                data.Add(kind, node, "systolic");
            }

            foreach (int node in Simt.Contains(kind) || Both.Contains(kind) ? (int[])[16, 7, 5] : [])
            {
                data.Add(kind, node, "simt");
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Countable))]
    public void Every_activity_a_machine_can_count_has_a_priced_row(ActivityKind kind, int node, string machine)
    {
        EnergyRow row = EnergyReferenceTable.Default.Row(kind, node, machine);

        row.Value.Picojoules.Should().BePositive();
        row.Low.Should().BeLessThan(row.Value);
        row.High.Should().BeGreaterThan(row.Value);
        row.MachineClass.Should().BeOneOf(machine, "any");
    }

    [Fact]
    public void No_activity_costs_less_on_an_older_node()
    {
        foreach (IGrouping<(ActivityKind, string), EnergyRow> rows in EnergyReferenceTable.Default.Rows.GroupBy(row => (row.Activity, row.MachineClass)))
        {
            rows.OrderBy(row => row.NodeNanometres).Select(row => row.Value).Should().BeInAscendingOrder(rows.Key.ToString());
        }
    }

    [Theory]
    [InlineData(7, 0.59, 0.25)] // 0.84 pJ per valid bf16 multiply-accumulate
    [InlineData(5, 0.4366, 0.185)] // x 0.74
    [InlineData(3, 0.3245, 0.1375)] // x 0.55
    public void A_systolic_cell_costs_arithmetic_and_pipeline(int node, double arithmetic, double pipeline)
    {
        EnergyReferenceTable.Default.Row(ActivityKind.MacBf16, node, "systolic").Value.Picojoules.Should().BeApproximately(arithmetic, 1e-9);
        EnergyReferenceTable.Default.Row(ActivityKind.PePipeline, node, "systolic").Value.Picojoules.Should().BeApproximately(pipeline, 1e-9);
        EnergyReferenceTable.Default.Row(ActivityKind.PeIdleCycle, node, "systolic").Value.Picojoules.Should().BeApproximately(0.15 * pipeline, 1e-5);
    }

    [Fact]
    public void A_square_matrix_product_is_priced_as_by_hand()
    {
        // 4096 x 4096 x 4096 in bf16 on 5 nm: 4096^3 = 68,719,476,736 multiply-accumulates; A, B, C of 33,554,432 B each.
        var counts = new ActivityCounts();
        counts.Add(ActivityKind.MacBf16, 68_719_476_736);
        counts.Add(ActivityKind.PePipeline, 68_719_476_736);
        counts.Add(ActivityKind.WeightLoad, 134_217_728); // B, 4096^2 elements, once for each 512 of the 4096 rows: 8 times
        counts.Add(ActivityKind.DramReadByte, 67_108_864);
        counts.Add(ActivityKind.DramWriteByte, 33_554_432);
        var model = new EnergyModel(5, "systolic", Power.FromWatts(130), Power.FromWatts(40));

        EnergyBreakdown energy = EnergyReferenceTable.Default.Price(counts, SimTime.FromMicroseconds(1000), model);

        energy.Parts.Select(part => part.Component).Should().Equal("matrix arithmetic", "systolic array", "main memory", "idle", "active clocking");
        double[] joules =
        [
            68_719_476_736 * 0.4366e-12, // 30.00 mJ
            68_719_476_736 * 0.185e-12 + 134_217_728 * 0.0888e-12, // 12.71 + 0.01 mJ
            (67_108_864 + 33_554_432) * 33.6e-12, // 4.2 pJ/bit: 3.38 mJ
            130e-3, // 130 W for 1 ms
            40e-3,
        ];
        for (int i = 0; i < joules.Length; i++)
        {
            energy.Parts[i].Value.Joules.Should().BeApproximately(joules[i], 1e-9, energy.Parts[i].Component);
        }

        energy.Total.Joules.Should().BeApproximately(joules.Sum(), 1e-9); // 216.10 mJ
        energy.Low.Should().BeLessThan(energy.Total);
        energy.High.Should().BeGreaterThan(energy.Total);
        energy.Parts[^1].Should().Be(new EnergyPart("active clocking", Energy.FromJoules(40e-3), Energy.FromJoules(40e-3), Energy.FromJoules(40e-3)));
    }

    [Theory] // Fitted to these totals, so this checks the table and the sum, not the model.
    [InlineData(7, 257, 0.0625, 0.0234, 0.45, 60, 80, 399)] // A100, H. He 2024: the 400 W cap reached at 257 TFLOPS
    [InlineData(5, 720, 0.031, 0.0117, 0.9, 72, 170, 662)] // H100, at most 700 W
    [InlineData(5, 794.5, 0.031, 0.0117, 0.9, 72, 170, 700)] // H100, best shape
    public void A_large_matrix_product_draws_the_published_board_power(
        int node, double teraflops, double sharedBytesPerMac, double cacheBytesPerMac, double memoryTerabytes, double idle, double active, double watts)
    {
        // One second: half as many multiply-accumulates as FLOPs; traffic per multiply-accumulate from 128 x 256 tiles.
        long macs = (long)(teraflops / 2 * 1e12);
        var counts = new ActivityCounts();
        counts.Add(ActivityKind.MacBf16, macs);
        counts.Add(ActivityKind.TensorCoreControl, macs);
        counts.Add(ActivityKind.SharedMemoryByte, (long)(macs * sharedBytesPerMac));
        counts.Add(ActivityKind.L2Byte, (long)(macs * cacheBytesPerMac));
        counts.Add(ActivityKind.DramReadByte, (long)(memoryTerabytes * 1e12));
        counts.Add(ActivityKind.DramActivate, (long)(memoryTerabytes * 1e12 / 94)); // bytes that an opened row gives (O'Connor et al. MICRO 2017)
        var second = SimTime.FromSeconds(1);

        EnergyBreakdown energy = EnergyReferenceTable.Default.Price(counts, second, new EnergyModel(node, "simt", Power.FromWatts(idle), Power.FromWatts(active)));

        energy.Total.Over(second).Watts.Should().BeApproximately(watts, 0.02 * watts);
    }

    [Fact]
    public void A_row_of_the_class_goes_before_a_row_for_any_class()
    {
        EnergyReferenceTable table = EnergyReferenceTable.Read(Header
            + "LinkByte,7,any,48,24,96,derived,here,\n"
            + "LinkByte,7,simt,10,5,20,measured,there,own link\n", "own.csv");

        table.Row(ActivityKind.LinkByte, 7, "simt").Value.Picojoules.Should().BeApproximately(10, 1e-9);
        table.Row(ActivityKind.LinkByte, 7, "systolic").Value.Picojoules.Should().BeApproximately(48, 1e-9);
    }

    [Fact]
    public void A_missing_row_is_an_error_that_names_the_row_to_add()
    {
        var counts = new ActivityCounts();
        counts.Add(ActivityKind.WeightLoad, 1);
        var model = new EnergyModel(4, "systolic", Power.Zero, Power.Zero);

        FluentActions.Invoking(() => EnergyReferenceTable.Default.Price(counts, SimTime.Zero, model))
            .Should().Throw<KeyNotFoundException>()
            .WithMessage("energy-table.csv: found no row for WeightLoad at 4 nm on a systolic machine, only: 16 nm systolic, 7 nm systolic, 5 nm systolic, 3 nm systolic. Add \"WeightLoad,4,systolic,*");
    }

    [Theory]
    [InlineData(45, ActivityKind.MacBf16, 0.59 * 2.6)] // the measured 45:7 nm ratio of logic, Jouppi et al. ISCA 2021 Table 2
    [InlineData(45, ActivityKind.ScratchpadReadByte, 1.2 * 2.8)] // of 8 KB, 32 KB and 1 MB: (1.33 x 2.35 x 7.14)^(1/3)
    [InlineData(28, ActivityKind.PePipeline, 0.25 * 1.9)]
    [InlineData(28, ActivityKind.DramReadByte, 41.6)] // the device does not follow the logic node
    public void A_node_without_rows_is_reached_from_7_nm_by_the_factor_of_its_family(int node, ActivityKind kind, double picojoules)
    {
        EnergyRow row = EnergyReferenceTable.Default.Row(kind, node, "systolic");

        row.Value.Picojoules.Should().BeApproximately(picojoules, 1e-9);
        row.NodeNanometres.Should().Be(node);
        row.Low.Should().BeLessThan(row.Value);
        row.High.Should().BeGreaterThan(row.Value);
        row.Notes.Should().StartWith("7 nm row x ");
    }

    [Fact]
    public void Rows_of_another_table_replace_and_extend()
    {
        EnergyReferenceTable own = EnergyReferenceTable.Read(Header
            + "MacBf16,5,systolic,1,0.5,2,measured,own chip,\n"
            + "MacBf16,4,systolic,3,2,4,measured,own chip,\n", "own.csv");

        EnergyReferenceTable table = EnergyReferenceTable.Default.Extend(own);

        table.Row(ActivityKind.MacBf16, 5, "systolic").Value.Picojoules.Should().BeApproximately(1, 1e-9);
        table.Row(ActivityKind.MacBf16, 4, "systolic").Value.Picojoules.Should().BeApproximately(3, 1e-9);
        table.Row(ActivityKind.MacBf16, 7, "systolic").Should().Be(EnergyReferenceTable.Default.Row(ActivityKind.MacBf16, 7, "systolic"));
        table.Rows.Should().HaveCount(EnergyReferenceTable.Default.Rows.Length + 1);
    }

    [Fact]
    public void A_cap_takes_from_what_is_counted_on_chip()
    {
        // 1 J of arithmetic and 1 J of main memory in a second beside 2 W idle and 1 W active: 5 W. A cap of 4.5 W leaves 0.5 J to the arithmetic.
        EnergyReferenceTable table = EnergyReferenceTable.Read(Header
            + "MacBf16,5,any,1000,500,2000,assumed,here,\nDramReadByte,5,any,1000,500,2000,derived,here,\n", "own.csv");
        var counts = new ActivityCounts();
        counts.Add(ActivityKind.MacBf16, 1_000_000_000);
        counts.Add(ActivityKind.DramReadByte, 1_000_000_000);
        var model = new EnergyModel(5, "simt", Power.FromWatts(2), Power.FromWatts(1)) { Cap = Power.FromWatts(4.5), IdleIsAssumed = true };

        EnergyBreakdown energy = table.Price(counts, SimTime.FromSeconds(1), model);

        energy.Parts.Select(part => Math.Round(part.Value.Joules, 9)).Should().Equal(0.5, 1, 2, 1);
        energy.AssumedShare.Should().BeApproximately((0.5 + 2) / 4.5, 1e-9);
    }

    [Fact]
    public void Voltage_prices_the_chip_and_not_its_memory()
    {
        var counts = new ActivityCounts();
        counts.Add(ActivityKind.MacBf16, 1_000_000);
        counts.Add(ActivityKind.DramReadByte, 1_000_000);
        var model = new EnergyModel(5, "simt", Power.Zero, Power.Zero);

        EnergyBreakdown energy = EnergyReferenceTable.Default.Price(counts, SimTime.FromSeconds(1), model, voltage: 1.5);

        energy.Parts[0].Value.Picojoules.Should().BeApproximately(1.5 * 0.45e6, 1);
        energy.Parts[1].Value.Picojoules.Should().BeApproximately(54.33e6, 1);
    }

    [Fact]
    public void Gated_engines_leave_their_share_of_the_powers_and_memory_keeps_its_background()
    {
        // Idle 10 W, 2 W of it memory; half of the logic's leakage and three quarters of the clock belong to engines that idle 40 % of the time.
        var model = new EnergyModel(5, "systolic", Power.FromWatts(10), Power.FromWatts(5)) { MemoryBackground = Power.FromWatts(2), Gating = new EngineGating(0.75, 0.5) };

        EnergyBreakdown energy = EnergyReferenceTable.Default.Price(new ActivityCounts(), SimTime.FromSeconds(1), model, idleShare: 0.4);

        energy.Parts.Select(part => (part.Component, Math.Round(part.Value.Joules, 9))).Should().Equal(
            ("memory background", 2), ("idle", 8 * (1 - (0.5 * 0.4))), ("active clocking", 5 * (1 - (0.75 * 0.4))));
    }

    [Fact]
    public void Kinds_without_counts_need_no_row()
    {
        EnergyReferenceTable table = EnergyReferenceTable.Read(Header, "empty.csv");

        EnergyBreakdown energy = table.Price(new ActivityCounts(), SimTime.FromSeconds(2), new EnergyModel(1, "simt", Power.FromWatts(3), Power.Zero));

        energy.Total.Joules.Should().Be(6); // 3 W for 2 s
    }

    [Fact]
    public void A_negative_count_is_refused()
    {
        var counts = new ActivityCounts();
        counts.Add(ActivityKind.LinkByte, -1);

        FluentActions.Invoking(() => EnergyReferenceTable.Default.Price(counts, SimTime.Zero, new EnergyModel(7, "simt", Power.Zero, Power.Zero)))
            .Should().Throw<ArgumentOutOfRangeException>().WithMessage("*LinkByte*");
    }

    [Fact]
    public void All_problems_of_a_file_are_reported_with_line_and_column()
    {
        string csv = Header
            + "linkbyte,7,any,48,24,96,derived,here,\n" // line 2: wrong case
            + "LinkByte,0,any,48,24,96,derived,here,\n"
            + "LinkByte,7,gpu,48,24,96,derived,here,\n"
            + "LinkByte,7,any,-1,24,96,derived,here,\n"
            + "LinkByte,7,any,48,60,40,derived,here,\n"
            + "LinkByte,7,simt,48,24,96,guessed,,\n"
            + "LinkByte,5,any,48,24,96,derived,here,\n"
            + "LinkByte,5,any,47,24,96,derived,here,\n"
            + "LinkByte,3,any,NaN,24,1e400,derived,here,\n"
            + "LinkByte,3,any,48\n";

        string[] problems = FluentActions.Invoking(() => EnergyReferenceTable.Read(csv, "own.csv"))
            .Should().Throw<InvalidDocumentException>().Which.Message.Split('\n');

        problems.Order().Select(problem => string.Join(':', problem.Split(':')[1..3])).Should().BeEquivalentTo(
            " line 2, column activity: found \"linkbyte\", expected one of",
            " line 3, column node_nm: found \"0\", expected a whole number from 1 to 1000",
            " line 4, column machine: found \"gpu\", expected one of",
            " line 5, column energy_pj: found \"-1\", expected a number from 0 to 1000000000",
            " line 6, column low_pj: found 60, expected at most energy_pj, which is 48",
            " line 6, column high_pj: found 40, expected at least energy_pj, which is 48",
            " line 7, column confidence: found \"guessed\", expected one of",
            " line 7, column source: found \"\", expected a text",
            " line 9, column activity: found a second row for LinkByte, 5 nm, any, expected one",
            " line 10, column energy_pj: found \"NaN\", expected a number from 0 to 1000000000",
            " line 10, column high_pj: found \"1e400\", expected a number from 0 to 1000000000",
            " line 11: found 4 fields, expected 9",
            " line 6, column activity: found a second row for LinkByte, 7 nm, any, expected one");
    }

    [Theory]
    [InlineData(ActivityKind.AccumulatorWriteByte, 2.8)]
    [InlineData(ActivityKind.SharedCacheReadByte, 2.8)]
    [InlineData(ActivityKind.SharedCacheMiss, 2.8)]
    [InlineData(ActivityKind.NetworkByte, 1.5)]
    [InlineData(ActivityKind.DramRefresh, 1)]
    [InlineData(ActivityKind.WeightLoad, 2.6)]
    [InlineData(ActivityKind.VectorOp, 2.6)]
    public void Each_family_has_its_node_factor(ActivityKind kind, double factor) =>
        EnergyReferenceTable.Default.Row(kind, 45, "systolic").Value.Picojoules.Should()
            .BeApproximately(factor * EnergyReferenceTable.Default.Row(kind, 7, "systolic").Value.Picojoules, 1e-6);

    [Theory]
    [InlineData(ActivityKind.MacBf16, 45, EnergyConfidence.Derived)] // of a derived row and factor
    [InlineData(ActivityKind.MacBf16, 28, EnergyConfidence.Assumed)] // the factor is assumed
    [InlineData(ActivityKind.SharedCacheMiss, 45, EnergyConfidence.Assumed)] // the row is
    public void A_scaled_row_is_trusted_no_more_than_its_row_and_factor(ActivityKind kind, int node, EnergyConfidence confidence) =>
        EnergyReferenceTable.Default.Row(kind, node, "systolic").Confidence.Should().Be(confidence);

    [Fact]
    public void Nodes_are_those_of_the_class_and_of_the_factors_in_order()
    {
        EnergyReferenceTable table = EnergyReferenceTable.Read(Header + "LinkByte,10,simt,48,24,96,derived,here,\nLinkByte,4,systolic,48,24,96,derived,here,\n", "own.csv");

        table.Nodes("simt").Should().Equal(3, 5, 10, 16, 28, 45);
        table.Nodes("systolic").Should().Equal(3, 4, 5, 16, 28, 45);
    }

    [Theory] // 1 J of arithmetic beside 3 W for a second.
    [InlineData(5, 1)]
    [InlineData(4, 1)]
    [InlineData(3.25, 0.25)]
    [InlineData(3, 1)] // a cap that the powers alone reach cannot be held: nothing is taken
    [InlineData(2, 1)]
    public void A_cap_takes_only_what_is_above_it_and_can_be_taken(double cap, double joules)
    {
        EnergyReferenceTable table = EnergyReferenceTable.Read(Header + "MacBf16,5,any,1000,500,2000,assumed,here,\n", "own.csv");
        var counts = new ActivityCounts();
        counts.Add(ActivityKind.MacBf16, 1_000_000_000);

        EnergyBreakdown energy = table.Price(counts, SimTime.FromSeconds(1), new EnergyModel(5, "simt", Power.FromWatts(2), Power.FromWatts(1)) { Cap = Power.FromWatts(cap) });

        energy.Parts[0].Value.Joules.Should().BeApproximately(joules, 1e-9);
        energy.Parts[0].Low.Joules.Should().BeApproximately(joules / 2, 1e-9);
    }

    [Fact]
    public void An_assumed_power_has_a_range_and_a_stated_one_has_none()
    {
        var model = new EnergyModel(5, "simt", Power.FromWatts(10), Power.FromWatts(4)) { MemoryBackground = Power.FromWatts(2) };

        EnergyBreakdown energy = EnergyReferenceTable.Default.Price(new ActivityCounts(), SimTime.FromSeconds(1), model);

        energy.Parts.Select(part => (part.Component, part.Low.Joules, part.High.Joules, part.Assumed.Joules)).Should().Equal(
            ("memory background", 1.3, 3, 2), ("idle", 8, 8, 0), ("active clocking", 4, 4, 0));
    }

    [Fact]
    public void A_table_without_any_row_of_an_activity_says_so() =>
        FluentActions.Invoking(() => EnergyReferenceTable.Read(Header, "own.csv").Row(ActivityKind.MacFp32, 7, "simt")).Should().Throw<KeyNotFoundException>()
            .WithMessage("own.csv: found no row for MacFp32 at 7 nm on a simt machine, only: none. Add *");

    [Fact]
    public void A_row_without_a_range_is_read()
    {
        EnergyRow row = EnergyReferenceTable.Read(Header + "MacFp32,7,any,48,48,48,measured,here,why\n", "own.csv").Rows.Should().ContainSingle().Subject;

        row.Should().BeEquivalentTo(new { Activity = ActivityKind.MacFp32, NodeNanometres = 7, MachineClass = "any", Confidence = EnergyConfidence.Measured, Source = "here", Notes = "why" });
        (row.Low, row.High).Should().Be((row.Value, row.Value));
    }
}
