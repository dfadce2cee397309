using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Reporting;
using Systolic.Units;

namespace Systolic.Tests.Reporting;

public class RunReportTests
{
    private static readonly RunReport Report = SyntheticRun.Report;

    [Fact]
    public void Time_is_operators_times_repeats_plus_overhead()
    {
        // 3 x 10 us + 2 x 5 us + 10 us of launch = 50 us; at 1 GHz 50,000 cycles.
        Report.Time.Should().Be(SimTime.FromMicroseconds(50));
        Report.TotalCycles.Should().Be(new Cycles(50_000));
    }

    [Fact]
    public void Part_of_a_cycle_counts_whole()
    {
        RunTrace trace = SyntheticRun.Trace with { Operators = [], Overhead = SyntheticRun.Stack((CycleComponent.Launch, 1_000_001)) };

        // 1.000001 ns at 1 GHz ends in the second cycle.
        RunReport.From(SyntheticRun.Array, trace, "toy", "nothing", 1).TotalCycles.Should().Be(new Cycles(2));
    }

    [Fact]
    public void Utilization_divides_by_instances_and_duration()
    {
        // Tensor: 3 runs x 16 us over 2 instances x 50 us = 0.48. Vector: 2 x 4 us over 50 us = 0.16.
        Report.Utilization.Should().Equal(new EngineUtilization("tensor", 2, 0.48), new EngineUtilization("vector", 1, 0.16));
        Report.TensorUtilization.Should().Be(0.48);
    }

    [Fact]
    public void Mfu_counts_useful_work_and_hfu_all_work()
    {
        // Useful: 3 x 4e6 MACs at 1e12/s = 12 us of 50 us. All: 3 x 5e6 = 15 us of 50 us.
        Report.Mfu.Should().BeApproximately(0.24, 1e-12);
        Report.Hfu.Should().BeApproximately(0.30, 1e-12);
    }

    [Fact]
    public void Each_type_is_held_against_its_own_peak()
    {
        OperatorRun bf16 = SyntheticRun.Trace.Operators[0] with { Repeat = 1 };
        OperatorRun fp8 = bf16 with { Counts = SyntheticRun.Counts((ActivityKind.MacFp8, 8_000_000)), UsefulMacs = new MacCount(8_000_000) };
        RunTrace trace = SyntheticRun.Trace with { Operators = [bf16, fp8], Overhead = new CycleStack() };
        RunReport report = RunReport.From(SyntheticRun.Array, trace, "toy", "mixed", 1);

        // 20 us. Useful: 4e6/1e12 + 8e6/2e12 = 8 us. All: 5e6/1e12 + 8e6/2e12 = 9 us.
        report.Mfu.Should().BeApproximately(0.40, 1e-12);
        report.Hfu.Should().BeApproximately(0.45, 1e-12);
    }

    [Fact]
    public void Useful_work_off_the_matrix_unit_is_held_against_the_run_s_leading_type()
    {
        OperatorRun lanes = SyntheticRun.Trace.Operators[0] with { Repeat = 1, Counts = SyntheticRun.Counts((ActivityKind.VectorOp, 4_000_000)) };
        RunTrace alone = SyntheticRun.Trace with { Operators = [lanes], Overhead = new CycleStack() };
        RunTrace beside = alone with { Operators = [lanes, SyntheticRun.Trace.Operators[1]] };

        // Alone: 4e6 MACs at the fastest type's 2e12/s = 2 us of 10 us. Beside a bf16 product: (4 us + 4 us) of 20 us.
        RunReport.From(SyntheticRun.Array, alone, "toy", "lanes", 1).Mfu.Should().BeApproximately(0.2, 1e-12);
        RunReport.From(SyntheticRun.Array, beside, "toy", "lanes", 1).Mfu.Should().BeApproximately(0.4, 1e-12);
    }

    [Fact]
    public void Mbu_is_bytes_of_main_memory_over_peak_bytes()
    {
        // 3 x 200,000 + 2 x 100,000 = 800,000 bytes; 1e11 B/s x 50 us = 5,000,000 bytes.
        Report.Mbu.Should().BeApproximately(0.16, 1e-12);
    }

    [Fact]
    public void Traffic_lists_the_levels_that_moved_bytes()
    {
        // 3 x 160,000 + 2 x 100,000; 3 x 40,000; 3 x 80,000.
        Report.Traffic.Should().Equal(
            new LevelTraffic("DRAM read", new Bytes(680_000)),
            new LevelTraffic("DRAM written", new Bytes(120_000)),
            new LevelTraffic("scratchpad read", new Bytes(240_000)));
    }

    [Fact]
    public void Energy_is_counts_times_prices_plus_the_constant_powers()
    {
        // 15e6 MACs x 100 pJ + 800,000 B x 1,000 pJ + (240,000 B + 160,000 operations) x 100 pJ + 30 W x 50 us = 1.5 + 0.8 + 0.04 + 1.5 mJ.
        Report.Energy.Joules.Should().BeApproximately(3.84e-3, 1e-12);

        // Half of the priced part, and all of the constant part.
        Report.EnergyBreakdown.Low.Joules.Should().BeApproximately(2.34e-3 / 2 + 1.5e-3, 1e-12);
    }

    [Fact]
    public void Energy_of_operators_and_of_the_power_during_overhead_is_the_energy_of_the_run()
    {
        double operators = Report.Operators.Sum(op => op.TotalEnergy.Joules);

        // Overhead: 10 us at 10 W idle and 20 W active.
        Report.Energy.Joules.Should().BeApproximately(operators + 10e-6 * 30, 1e-15);
    }

    [Fact]
    public void Rates_per_token_divide_by_tokens()
    {
        // 100 tokens in 50 us.
        Report.TokensPerSecond.Should().BeApproximately(2e6, 1e-3);
        Report.EnergyPerToken.Joules.Should().BeApproximately(Report.Energy.Joules / 100, 1e-15);
        Report.EnergyDelayProduct.Should().BeApproximately(Report.Energy.Joules * 50e-6, 1e-18);
        Report.Power.Watts.Should().BeApproximately(Report.Energy.Joules / 50e-6, 1e-9);
    }

    [Fact]
    public void Scratchpad_high_water_is_the_largest_of_the_operators() => Report.ScratchpadHighWater.Should().Be(new Bytes(65_536));

    [Fact]
    public void Reports_of_the_same_trace_are_equal()
    {
        var again = RunReport.From(SyntheticRun.Array, SyntheticRun.Trace, Report.Model, Report.Phase, Report.Tokens, SyntheticRun.Prices);

        again.Should().Be(Report);
        again.GetHashCode().Should().Be(Report.GetHashCode());
        (again with { Tokens = 99 }).Should().NotBe(Report);
    }

    [Fact]
    public void Trace_without_time_is_refused()
    {
        RunTrace empty = SyntheticRun.Trace with { Operators = [], Overhead = new CycleStack() };

        FluentActions.Invoking(() => RunReport.From(SyntheticRun.Array, empty, "toy", "nothing", 1)).Should().Throw<ArgumentException>().WithMessage("*toy (nothing) on array took no time*");
    }

    [Fact]
    public void Matrix_engine_that_the_trace_lacks_is_refused()
    {
        MachineProfile machine = SyntheticRun.Array with { MatrixEngine = "tensr" };

        FluentActions.Invoking(() => RunReport.From(machine, SyntheticRun.Trace, "toy", "x", 1)).Should().Throw<ArgumentException>().WithMessage("*\"tensr\"*tensor, vector*");
    }

    [Fact]
    public void Work_of_a_type_without_a_peak_is_refused()
    {
        MachineProfile machine = SyntheticRun.Array with { PeakMacsPerSecond = ImmutableDictionary<DataType, double>.Empty.Add(DataType.Int8, 1) };

        FluentActions.Invoking(() => RunReport.From(machine, SyntheticRun.Trace, "toy", "x", 1)).Should().Throw<ArgumentException>().WithMessage("array: found no peak rate for MacBf16*");
    }
}
