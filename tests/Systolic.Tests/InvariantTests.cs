using System.Text.Json;
using FluentAssertions.Execution;
using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Kernels;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests;

/// <summary>What must hold for every run of every machine.</summary>
public sealed class InvariantTests
{
    [Theory]
    [MemberData(nameof(RealRuns.Machines), MemberType = typeof(RealRuns))]
    public void No_run_beats_its_lower_bound(string machine) => ForEach(machine, run =>
    {
        run.Report.Time.Should().BeGreaterThanOrEqualTo(run.Report.LowerBound.Time, run.Name);
        run.Report.LowerBound.Time.Should().BeGreaterThan(SimTime.Zero, run.Name);
        if (machine == "h100")
        {
            // One kernel after the other; where operators overlap, one takes only what it adds.
            ForEachOperator(run, (op, name) => op.Time.Should().BeGreaterThanOrEqualTo(op.Bound.Time, name));
        }
    });

    [Theory]
    [MemberData(nameof(RealRuns.Machines), MemberType = typeof(RealRuns))]
    public void The_cycle_stack_sums_to_the_time(string machine) => ForEach(machine, run =>
    {
        ForEachOperator(run, (op, name) => op.Stack.Total.Should().Be(op.Time, name));
        SimTime operators = run.Report.Trace.Operators.Aggregate(SimTime.Zero, (sum, op) => sum + (op.Time * op.Repeat));
        run.Report.Time.Should().Be(operators + run.Report.Trace.Overhead.Total, run.Name);
        run.Report.CycleStack.Total.Should().Be(run.Report.Time, run.Name);
        foreach (CycleComponent component in Enum.GetValues<CycleComponent>())
        {
            run.Report.CycleStack[component].Should().BeGreaterThanOrEqualTo(SimTime.Zero, "{0}, {1}", run.Name, component);
        }
    });

    // total_cycles is the time in cycles of the matrix unit's clock, rounded up.
    [Theory]
    [MemberData(nameof(RealRuns.Machines), MemberType = typeof(RealRuns))]
    public void The_written_stack_sums_to_the_written_cycles(string machine) => ForEach(machine, run =>
    {
        using JsonDocument json = JsonDocument.Parse(RealRuns.Json(run.Report));
        JsonElement written = json.RootElement.GetProperty("machines")[0];
        long cycles = written.GetProperty("total_cycles").GetInt64();
        written.GetProperty("cycle_stack").EnumerateObject().Sum(part => part.Value.GetInt64()).Should().Be(cycles, run.Name);
        ((double)cycles).Should().BeApproximately(run.Report.Time.Seconds * written.GetProperty("clock_hz").GetInt64(), 1 + (1e-9 * cycles), run.Name);
        foreach (JsonElement op in written.GetProperty("operators").EnumerateArray())
        {
            op.GetProperty("cycle_stack").EnumerateObject().Sum(part => part.Value.GetInt64()).Should().Be(op.GetProperty("cycles").GetInt64(), "{0}, {1}", run.Name, op.GetProperty("name"));
        }
    });

    [Theory]
    [MemberData(nameof(RealRuns.Machines), MemberType = typeof(RealRuns))]
    public void No_engine_is_busy_for_longer_than_the_run(string machine) => ForEach(machine, run =>
    {
        ForEachOperator(run, (op, name) => op.Busy.Should().HaveCount(run.Report.Trace.Engines.Length).And.OnlyContain(busy => busy >= SimTime.Zero, name));
        foreach ((EngineInfo engine, int i) in run.Report.Trace.Engines.Select((engine, i) => (engine, i)))
        {
            long busy = run.Report.Trace.Operators.Sum(op => op.Busy[i].Value * op.Repeat);
            busy.Should().BeInRange(0, run.Report.Time.Value * engine.Instances, "{0}, {1}", run.Name, engine.Name);
        }
    });

    [Theory]
    [MemberData(nameof(RealRuns.Machines), MemberType = typeof(RealRuns))]
    public void Useful_work_is_that_of_the_graph_and_counted_work_at_least_as_much(string machine) => ForEach(machine, run =>
    {
        Int128 expected = run.Graph.Sections.Aggregate((Int128)0, (sum, section) => sum + (section.Repeat * section.Operators.Aggregate((Int128)0, (macs, op) => macs + Macs(op))));
        Int128 useful = run.Report.Trace.Operators.Aggregate((Int128)0, (sum, op) => sum + ((Int128)op.UsefulMacs.Value * op.Repeat));
        useful.Should().Be(expected, run.Name);
        useful.Should().BeGreaterThan(0, run.Name);
        ForEachOperator(run, (op, name) => op.Counts.Macs.Should().BeGreaterThanOrEqualTo(op.UsefulMacs.Value, name));
    });

    [Theory]
    [MemberData(nameof(RealRuns.Machines), MemberType = typeof(RealRuns))]
    public void Main_memory_moves_at_least_the_compulsory_bytes(string machine) => ForEach(machine, run =>
    {
        run.Report.Counts.DramBytes.Should().BeGreaterThanOrEqualTo(run.Graph.CompulsoryBytes.Value, run.Name);
        run.Graph.CompulsoryBytes.Value.Should().BeGreaterThan(0);
        Dictionary<string, Operator> operators = run.Graph.Sections.SelectMany(section => section.Operators.Select(op => ($"{section.Name}/{op.Name}", op))).ToDictionary();
        ForEachOperator(run, (op, name) =>
        {
            if (operators.TryGetValue(op.Name, out Operator? whole))
            {
                op.Counts.DramBytes.Should().BeGreaterThanOrEqualTo(StatefulBytes(whole), name);
            }
        });
    });

    [Theory]
    [MemberData(nameof(RealRuns.Machines), MemberType = typeof(RealRuns))]
    public void Energy_is_the_sum_of_its_parts_and_none_is_negative(string machine) => ForEach(machine, run =>
    {
        using JsonDocument json = JsonDocument.Parse(RealRuns.Json(run.Report));
        JsonElement written = json.RootElement.GetProperty("machines")[0];
        double total = written.GetProperty("energy_j").GetDouble();
        double parts = written.GetProperty("energy_breakdown_j").EnumerateObject().Sum(part => part.Value.GetDouble());
        parts.Should().BeApproximately(total, 1e-12 * total, run.Name);
        EnergyModel model = run.Report.Machine.Energy;
        double overhead = (model.Idle.Watts + model.Active.Watts) * run.Report.Trace.Overhead.Total.Seconds;
        (run.Report.Operators.Sum(op => op.TotalEnergy.Joules) + overhead).Should().BeApproximately(total, 1e-9 * total, run.Name);
        total.Should().BeGreaterThan(0);
        foreach (EnergyPart part in run.Report.EnergyBreakdown.Parts.Concat(run.Report.Operators.SelectMany(op => op.EnergyBreakdown.Parts)))
        {
            part.Low.Joules.Should().BeInRange(0, part.Value.Joules, "{0}, {1}", run.Name, part.Component);
            part.High.Joules.Should().BeGreaterThanOrEqualTo(part.Value.Joules, "{0}, {1}", run.Name, part.Component);
        }
    });

    [Theory]
    [MemberData(nameof(RealRuns.Machines), MemberType = typeof(RealRuns))]
    public void Shares_lie_between_zero_and_one(string machine) => ForEach(machine, run =>
    {
        run.Report.Mfu.Should().BeInRange(0, 1, run.Name).And.BePositive(run.Name);
        run.Report.Mbu.Should().BeInRange(0, 1, run.Name).And.BePositive(run.Name);
        run.Report.Hfu.Should().BeInRange(run.Report.Mfu * (1 - 1e-12), 1, run.Name);
        run.Report.TensorUtilization.Should().BeInRange(0, 1, run.Name);
        run.Report.Utilization.Should().OnlyContain(engine => engine.Share >= 0 && engine.Share <= 1, run.Name);
    });

    [Theory]
    [MemberData(nameof(RealRuns.Machines), MemberType = typeof(RealRuns))]
    public void Equal_inputs_give_equal_bytes_on_any_number_of_threads(string machine)
    {
        RealRun[] runs = [.. RealRuns.On(machine).Where(run => run.Graph.Phase.Contains("256 tokens", StringComparison.Ordinal) || run.Graph.Phase.Contains("context 300", StringComparison.Ordinal))];
        byte[][] expected = [.. runs.Select(run => RealRuns.Json(run.Report))];
        IMachine shared = MachinePresets.Load(machine);
        Parallel.For(0, runs.Length, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = TestContext.Current.CancellationToken }, i =>
        {
            byte[] again = RealRuns.Json(shared.Run(runs[i].Graph, RealRuns.Anyway));
            again.AsSpan().SequenceEqual(expected[i]).Should().BeTrue(runs[i].Name);
        });
    }

    [Theory]
    [MemberData(nameof(RealRuns.SystolicMachines), MemberType = typeof(RealRuns))]
    public void The_scratchpad_never_holds_more_than_it_can(string machine) => ForEach(machine, run =>
    {
        Bytes capacity = MachinePresets.Accelerator(machine).Sbuf.Capacity;
        run.Report.ScratchpadHighWater.Should().BeLessThanOrEqualTo(capacity, run.Name).And.BeGreaterThan(Bytes.Zero, run.Name);
        ForEachOperator(run, (op, name) => op.ScratchpadHighWater.Should().BeLessThanOrEqualTo(capacity, name));
    });

    [Theory]
    [MemberData(nameof(RealRuns.SystolicMachines), MemberType = typeof(RealRuns))]
    public void Every_program_fits_the_memories_and_keeps_its_data_flow(string name)
    {
        Accelerator machine = MachinePresets.Accelerator(name);
        Operator[] operators = RealRuns.Operators(machine.Cores);
        operators.Should().HaveCountGreaterThan(100);
        foreach (Operator op in operators)
        {
            foreach (LoweredPass pass in KernelRuns.Lower(op, machine).Passes)
            {
                string why = $"{op.Kind} {op.Describe()} on {name}";
                pass.Program.BytesPerPartition(MemorySpace.Sbuf).Should().BeLessThanOrEqualTo(machine.Sbuf.PartitionSize.Value, why);
                pass.Program.BytesPerPartition(MemorySpace.Psum).Should().BeLessThanOrEqualTo(machine.Psum.PartitionSize.Value, why);
                TileChecker.Find(pass.Program, machine).Should().BeNull(why);
                HazardChecker.Find(pass.Program, Simulator.RunWithTimes(pass.Program, machine).Streams).Should().BeNull(why);
            }
        }
    }

    /// <summary>The sum of M x K x N from the shapes alone; of attention pair by pair of rows, two products forward and four backward.</summary>
    private static Int128 Macs(Operator op)
    {
        if (op is MatMul product)
        {
            return (Int128)product.M * product.K * product.N * product.Batch;
        }

        if (op is not Attention attention)
        {
            return 0;
        }

        Int128 pairs = 0;
        for (long query = 0; query < attention.QueryTokens; query++)
        {
            long seen = attention.Causal ? attention.KvTokens - attention.QueryTokens + query + 1 : attention.KvTokens;
            pairs += Math.Min(seen, attention.Window ?? seen);
        }

        return pairs * (attention.HeadDim + attention.ValueDim) * attention.QueryHeads * attention.Batch * (attention.Backward ? 2 : 1);
    }

    private static long StatefulBytes(Operator op) => op.Reads.Concat(op.Writes)
        .Where(tensor => tensor.Operand.Role is TensorRole.Weight or TensorRole.KvCache or TensorRole.OptimizerState)
        .Sum(tensor => tensor.Size.Value);

    private static void ForEach(string machine, Action<RealRun> check)
    {
        using var scope = new AssertionScope();
        foreach (RealRun run in RealRuns.On(machine))
        {
            check(run);
        }
    }

    private static void ForEachOperator(RealRun run, Action<OperatorRun, string> check)
    {
        foreach (OperatorRun op in run.Report.Trace.Operators)
        {
            check(op, $"{run.Name}, {op.Name}");
        }
    }
}
