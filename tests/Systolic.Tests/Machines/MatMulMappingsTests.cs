using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Simulation;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Machines;

public class MatMulMappingsTests
{
    private static readonly MatMul Square = new("square", 512, 512, 512, LeftTransposed: true);

    private static readonly MatMul Decode = new("decode", 1, 4096, 1792);

    public static TheoryData<string, long, long, long> Small => new() { { "trn1-core", 512, 512, 512 }, { "trn2-core", 1, 4096, 1792 }, { "trn3-core", 300, 1000, 700 } };

    [Theory]
    [MemberData(nameof(Small))]
    public void What_is_chosen_is_as_fast_as_the_fastest_candidate_or_moves_less(string name, long m, long k, long n)
    {
        Accelerator machine = MachinePresets.Accelerator(name);
        var op = new MatMul("product", m, k, n);
        (MatMulMapping mapping, string how) = new MatMulMappings().Choose(op, machine);
        MatMulMapping[] candidates = [.. MatMulMapping.Shortlist(op, machine, 4, 1.25).Select(candidate => candidate.RunningAhead(op, machine))];
        how.Should().Be($"best of {candidates.Length} simulated");
        candidates.Should().Contain(mapping).And.StartWith(MatMulMapping.Choose(op, machine).RunningAhead(op, machine));
        candidates.Select(candidate => candidate with { Buffers = 0 }).Should().OnlyHaveUniqueItems();

        // 2 % are equally fast; what the load of the first blocks is estimated at cancels.
        Seconds(op, machine, mapping).Should().BeLessThanOrEqualTo(1.03 * candidates.Min(candidate => Seconds(op, machine, candidate)));
    }

    [Fact]
    public void A_product_of_few_rows_that_waits_for_memory_runs_ahead_by_half_of_SBUF()
    {
        Accelerator core = MachinePresets.Accelerator("trn2-core");
        MatMulMapping mapping = MatMulMapping.Choose(Decode, core), ahead = mapping.RunningAhead(Decode, core);
        long half = core.Sbuf.PartitionSize.Value / 2;
        ahead.Buffers.Should().BeGreaterThan(mapping.Buffers);
        (ahead with { Buffers = mapping.Buffers }).Should().Be(mapping);
        new MatMulPlan(Decode, ahead, core).BytesPerPartition.Should().BeLessThanOrEqualTo(half);
        new MatMulPlan(Decode, ahead with { Buffers = ahead.Buffers + 1 }, core).BytesPerPartition.Should().BeGreaterThan(half);

        var few = new MatMul("few blocks", 1, 256, 512);
        MatMulMapping all = MatMulMapping.Choose(few, core).RunningAhead(few, core);
        var plan = new MatMulPlan(few, all, core);
        all.Buffers.Should().BeLessThanOrEqualTo((int)Math.Max(MatMulMapping.Choose(few, core).Buffers, plan.BlocksN * plan.BlocksK));

        MatMul busy = new("array", 4096, 4096, 4096), many = new("many rows", 256, 4096, 1792);
        MatMulMapping.Choose(busy, core).RunningAhead(busy, core).Should().Be(MatMulMapping.Choose(busy, core), "the array sets the pace");
        new MatMulPlan(many, MatMulMapping.Choose(many, core), core).IsMemoryBound.Should().BeTrue();
        MatMulMapping.Choose(many, core).RunningAhead(many, core).Should().Be(MatMulMapping.Choose(many, core), "a weight serves several tiles of rows");
    }

    [Fact]
    public void A_product_that_fits_no_machine_is_named()
    {
        Accelerator core = MachinePresets.Accelerator("trn2-core");
        var small = new SystolicMachine(core with { Sbuf = core.Sbuf with { PartitionSize = Bytes.FromKibibytes(1) } });

        small.Invoking(machine => machine.Run(OperatorGraph.Of(new MatMul("up", 4096, 4096, 4096)))).Should().Throw<CapacityException>()
            .WithMessage("up: 4096x4096x4096 bf16 has no blocking that fits SBUF of trn2-core (1 KiB per partition).");
    }

    [Fact]
    public void A_product_is_faster_than_by_estimate_where_the_simulator_sees_more()
    {
        // Estimated 7.7 us, simulated 11.3; another candidate, estimated at 8.2 us, takes 10.0.
        Accelerator machine = MachinePresets.Accelerator("trn1-core");
        MatMulMapping chosen = new MatMulMappings().Choose(Square, machine).Mapping;

        chosen.Should().NotBe(MatMulMapping.Choose(Square, machine));
        Seconds(Square, machine, chosen).Should().BeLessThan(0.95 * Seconds(Square, machine, MatMulMapping.Choose(Square, machine)));
    }

    [Fact]
    public void A_file_pins_what_was_chosen_and_the_report_says_so()
    {
        var machine = new SystolicMachine(MachinePresets.Accelerator("trn1-core"));
        var chosen = new MatMulMappings();
        RunReport first = machine.Run(OperatorGraph.Of(Square), new RunOptions { Mappings = chosen }, null, TestContext.Current.CancellationToken);
        MatMulMappings pinned = MatMulMappings.Parse(chosen.ToJson(), "choices.json");

        RunReport again = machine.Run(OperatorGraph.Of(Square), new RunOptions { Mappings = pinned }, null, TestContext.Current.CancellationToken);

        again.Time.Should().Be(first.Time);
        first.Operators.Single().Run.Mapping.Should().MatchRegex("^blocks .* \\(MxKxN\\), . buffers.*, best of \\d simulated$");
        again.Operators.Single().Run.Mapping.Should().EndWith(", pinned");
        pinned.ToJson().Should().Be(chosen.ToJson().Replace("best of 4 simulated", "pinned", StringComparison.Ordinal));
    }

    [Fact]
    public void A_pinned_mapping_is_used_though_it_is_slower()
    {
        string json = Pin(new MatMulMapping(128, 512, 128, false, 2));
        (MatMulMapping mapping, string how) = MatMulMappings.Parse(json, "slow.json").Choose(Square, MachinePresets.Accelerator("trn1-core"));

        (mapping, how).Should().Be((new MatMulMapping(128, 512, 128, false, 2), "pinned"));
    }

    [Fact]
    public void A_pinned_mapping_that_does_not_fit_is_refused_with_the_reason()
    {
        // Both operands whole, twice: 2 x 4 x 512 x 2 B each, and strips of the output; 8 KiB a partition do not hold that.
        Accelerator machine = MachinePresets.Accelerator("trn1-core");
        Accelerator small = machine with { Sbuf = machine.Sbuf with { PartitionSize = Bytes.FromKibibytes(8) } };
        Action choose = () => MatMulMappings.Parse(Pin(new MatMulMapping(512, 512, 512, true, 2)), "wide.json").Choose(Square, small);

        choose.Should().Throw<CapacityException>().WithMessage(
            "square: the mapping of 512x512x512 that wide.json pins, blocks 512x512x512 (MxKxN), 2 buffers, left resident, needs * B per partition of SBUF of trn1-core, which has 8192 B. Take it out of the file or make its blocks smaller.");
    }

    [Fact]
    public void Every_problem_of_a_file_is_told()
    {
        string twice = Pin(new MatMulMapping(512, 512, 512, true, 2));
        string entry = twice[(twice.IndexOf('[', StringComparison.Ordinal) + 1)..twice.LastIndexOf(']')];
        string bad = entry.Replace("\"blockM\": 512", "\"blockM\": 513", StringComparison.Ordinal).Replace("\"buffers\": 2", "\"buffers\": 1", StringComparison.Ordinal)
            .Replace("\"leftResident\"", "\"leftresident\"", StringComparison.Ordinal);
        Action read = () => MatMulMappings.Parse($"{{ \"mappings\": [{entry}, {entry}, {bad}], \"more\": 1 }}", "bad.json");

        InvalidDocumentException refused = read.Should().Throw<InvalidDocumentException>().Which;
        foreach (string problem in new[] { "mappings[1].machine: found a second mapping of 512x512x512 on trn1-core", "mappings[2].blockM: found 513, expected a whole number from 1 to 512", "mappings[2].buffers: found 1", "leftresident", "more" })
        {
            refused.Message.Should().Contain(problem);
        }
    }

    [Fact]
    public void Threads_choose_what_one_alone_chooses()
    {
        Accelerator machine = MachinePresets.Accelerator("trn2-core");
        MatMul[] products = [Square, Decode, new("third", 128, 768, 384), new("fourth", 256, 256, 1024, Bias: true)];
        var alone = new MatMulMappings();
        foreach (MatMul product in products)
        {
            alone.Choose(product, machine);
        }

        var shared = new MatMulMappings();
        Parallel.For(0, 16, i => shared.Choose(products[^(1 + (i % 4))], machine));

        shared.ToJson().Should().Be(alone.ToJson());
    }

    private static double Seconds(MatMul op, Accelerator machine, MatMulMapping mapping) =>
        Simulator.Run(MatMulKernel.Write(op, machine, mapping, values: false), machine, false, TestContext.Current.CancellationToken).Time.Seconds;

    private static string Pin(MatMulMapping mapping) => FormattableString.Invariant(
        $$"""
        { "mappings": [{ "machine": "trn1-core", "m": 512, "k": 512, "n": 512, "batch": 1, "leftTransposed": true, "rightTransposed": false, "bias": false, "type": "bf16", "outputType": "bf16",
          "blockM": {{mapping.BlockM}}, "blockN": {{mapping.BlockN}}, "blockK": {{mapping.BlockK}}, "leftResident": {{(mapping.LeftResident ? "true" : "false")}}, "buffers": {{mapping.Buffers}} }] }
        """);
}
