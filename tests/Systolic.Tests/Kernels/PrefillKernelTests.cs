using CsCheck;
using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Programs;
using Systolic.Simulation;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Kernels;

public class PrefillKernelTests
{
    private static readonly Accelerator Trn2 = KernelRuns.Machine("trn2-core");

    /// <summary>One head, queries and results such that nothing needs turning.</summary>
    private static PrefillAttention Plain(int queries, int keys, bool causal = false) => new() { Heads = 1, KvHeads = 1, Queries = queries, Keys = keys, HeadDim = 128, Causal = causal, OutputByToken = true };

    [Fact]
    public void Random_options_touch_no_tile_too_early_and_stay_within_every_limit() =>
        Gen.Select(PrefillOptions.Random, Gen.Int[1, 2].Select(i => KernelRuns.Machines[i]), Gen.Int[0, 1]).Sample((op, machine, core) =>
        {
            if (PrefillPart.Of(op, core, 2) is { Length: > 0 } parts)
            {
                Program program = PrefillKernel.Write(op, parts, machine, values: true);
                (CoreRun run, StreamState[] streams) = Simulator.RunWithTimes(program, machine);
                HazardChecker.Find(program, streams).Should().BeNull();
                run.Busy.Should().OnlyContain(busy => busy <= run.Time);
                run.Stack.Total.Should().Be(run.Time);
                program.BytesPerPartition(MemorySpace.Sbuf).Should().BeLessThanOrEqualTo(machine.Sbuf.PartitionSize.Value);
                program.BytesPerPartition(MemorySpace.Psum).Should().BeLessThanOrEqualTo(machine.Psum.PartitionSize.Value);
            }
        }, iter: 60);

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(100, 600, true)]
    public void Both_simulators_agree_on_every_completion(int window, int prior, bool anywhere)
    {
        Program program = PrefillKernel.Write(Plain(300, 700, causal: true) with { Window = window, PriorKeys = prior, QueriesAnywhere = anywhere, KeysByToken = true }, [new PrefillPart(0, 0, 3, true)], Trn2);

        LockstepSimulator.RunWithTimes(program, Trn2).Streams.Select(stream => stream.Done).Should().BeEquivalentTo(Simulator.RunWithTimes(program, Trn2).Streams.Select(stream => stream.Done), options => options.WithStrictOrdering());
    }

    [Fact]
    public void A_group_without_mask_costs_what_is_counted_by_hand()
    {
        CoreRun run = Run(Plain(128, 2048));

        // VectorE, cycles of 0.96 GHz: 4 tiles x (512 + 100); maximum, its copy, sum and reciprocal 4 x (64 + 100); the block's weighted values 128 + 100.
        Busy(run, "vector").Should().BeApproximately(((4 * 612) + (4 * 164) + 228) / 0.96, 5);

        // Columns of the array at 2.4 GHz: 4 x 512 for scores, 16 chunks x 128 for values; the first product's operand is loaded before, 128 / 4.
        Busy(run, "tensor").Should().BeInRange(((4 * 512) + (16 * 128)) / 2.4, ((4 * 512) + (16 * 128) + (6 * 32)) / 2.4);

        // ScalarE at 1.2 GHz: 4 x (512 + 64) and the division by the sum, 128; one table, 1,280 ns.
        Busy(run, "scalar").Should().BeApproximately((((4 * 576) + 128) / 1.2) + 1280, 5);
        Busy(run, "gpsimd").Should().Be(0);
    }

    [Fact]
    public void Tiles_on_the_diagonal_are_copied_and_masked_by_position()
    {
        // 4 groups of 128 queries see one tile of 512 keys each, which the diagonal cuts: a copy and an eviction on VectorE, 150 + 512 cycles on GpSimd.
        CoreRun run = Run(Plain(512, 512, causal: true));

        Busy(run, "vector").Should().BeApproximately(4 * ((2 * 612) + (4 * 164) + 228) / 0.96, 10);
        Busy(run, "gpsimd").Should().BeApproximately(4 * (150 + 512) / 1.2, 5);
    }

    [Theory]
    [InlineData(0, 40)] // tile g of 16 sees ceil((g + 1) / 4) tiles of 512: 4 x (1 + 2 + 3 + 4)
    [InlineData(128, 19)] // the group's own tile, and the one before where the group begins a tile: 16 + 3
    [InlineData(1024, 36)] // groups 12 to 15 begin at query 1,536 or after, 1,024 behind the last key of tile 0 or more: 40 - 4
    public void Tiles_that_no_query_of_a_group_sees_are_left_out(int window, int tiles)
    {
        Program program = PrefillKernel.Write(Plain(2048, 2048, causal: true) with { Window = window }, [new PrefillPart(0, 0, 16, true)], Trn2);

        Count(program, StreamId.QueueLocal, Opcode.LocalTranspose).Should().Be(tiles);
    }

    [Fact]
    public void Context_parallelism_leaves_nothing_out_and_hides_by_bounds()
    {
        Program program = PrefillKernel.Write(Plain(512, 2048, causal: true) with { QueriesAnywhere = true }, [new PrefillPart(0, 0, 4, true)], Trn2);

        // 4 groups x 4 tiles.
        Count(program, StreamId.Vector, Opcode.RangeSelect).Should().Be(16);
        Count(program, StreamId.GpSimd, Opcode.AffineSelect).Should().Be(0);
    }

    [Fact]
    public void Sections_leave_weighted_values_in_main_memory()
    {
        // 12,288 keys: sections of 16 and 8 tiles. Each of 2 groups stores after the first, loads, and stores the result.
        Program program = PrefillKernel.Write(Plain(256, 12_288), [new PrefillPart(0, 0, 2, true)], Trn2);

        Count(program, StreamId.QueueStores, Opcode.Store).Should().Be(4);

        // Loads: keys 24, values 96, queries once a section, weighted values of 2 groups.
        Count(program, StreamId.QueueWeights, Opcode.Load).Should().Be(24 + 96 + 2 + 2);
    }

    [Theory]
    [InlineData(4, 2048, false, "0 1", "2 3")]
    [InlineData(1, 2048, true, "0:0+10", "0:10+6")] // of 16 groups 65 %
    [InlineData(1, 2048, false, "0:0+8", "0:8+8")]
    [InlineData(3, 512, true, "0 2", "1")] // too short to divide
    public void Heads_and_then_queries_are_divided_over_cores(int heads, int queries, bool causal, string first, string second)
    {
        PrefillAttention op = Plain(queries, queries, causal) with { Heads = heads, KvHeads = heads };

        Text(PrefillPart.Of(op, 0, 2)).Should().Be(first);
        Text(PrefillPart.Of(op, 1, 2)).Should().Be(second);

        static string Text(IEnumerable<PrefillPart> parts) => string.Join(' ', parts.Select(part => part.Whole ? $"{part.Head}" : $"{part.Head}:{part.FirstGroup}+{part.Groups}"));
    }

    [Fact]
    public void A_machine_whose_dma_engines_do_not_transpose_is_refused()
    {
        Action write = () => PrefillKernel.Write(Plain(128, 512), [new PrefillPart(0, 0, 1, true)], KernelRuns.Machine("trn1-core"));

        write.Should().Throw<CapacityException>();
    }

    private static CoreRun Run(PrefillAttention op) => Simulator.Run(PrefillKernel.Write(op, PrefillPart.Of(op, 0, 1), Trn2), Trn2);

    private static double Busy(CoreRun run, string engine) => run.Busy[Simulator.Engines.IndexOf(engine)].Value / 1e6;

    private static int Count(Program program, StreamId stream, Opcode opcode)
    {
        int count = 0;
        foreach (ref readonly Instruction op in program[stream])
        {
            count += op.Opcode == opcode ? 1 : 0;
        }

        return count;
    }
}
