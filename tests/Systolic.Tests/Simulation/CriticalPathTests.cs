using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Units;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Simulation;

/// <summary>Every femtosecond of short programs by its cause, on a Trainium2 core whose memory answers at once.</summary>
public class CriticalPathTests
{
    private const long Nanosecond = Core.Nanosecond;

    // 8 runs of 512 B for each engine at 23 B/ns: 22,260,869.6 fs each, rounded up.
    private const long Moved = 8 * 22_260_870;

    private static readonly Accelerator Machine = Core.Trn2 with { Memory = Core.Trn2.Memory with { IsFree = true } };
    private static readonly Clock Vector = new(Machine.VectorEngine.Clock);
    private static readonly Clock Tensor = new(Machine.TensorEngine.SustainedRate);

    [Fact]
    public void A_load_and_its_reader()
    {
        CoreRun run = Core.Run(Machine, kernel =>
        {
            TileBuffer tiles = kernel.Sbuf("tiles", 512, 2);
            kernel.Load(StreamId.QueueActivations, tiles[0], 128, 512);
            kernel.Copy(StreamId.Vector, tiles[1], tiles[0], 128, 128, DataType.Fp32, DataType.Fp32);
        }).Run;

        // 60 to issue, 1,000 to the first byte, 300 to the reader; at 1,538.09 ns x 0.96 GHz = 1,476.6 the next edge; 128 / 2 + 100 cycles.
        long loaded = (1360 * Nanosecond) + Moved, start = At(Vector, 1477), end = At(Vector, 1477 + 164);
        Stack(run.Stack).Should().Equal(
            (CycleComponent.Vector, end - start), (CycleComponent.DmaIssue, 60 * Nanosecond), (CycleComponent.MemoryLatency, 1300 * Nanosecond),
            (CycleComponent.MemoryBandwidth, Moved), (CycleComponent.Semaphore, start - loaded));
        run.Time.Value.Should().Be(end);
    }

    [Fact]
    public void Products_after_a_pause_and_behind_each_other()
    {
        (CoreRun run, StreamState[] streams) = Core.Run(Machine, kernel =>
        {
            (TileView left, TileView right, TileView sum) = (kernel.Sbuf("left", 128, DataType.Bf16)[0], kernel.Sbuf("right", 512, DataType.Bf16)[0], kernel.Psum("sum", 1)[0]);
            kernel.MatMul(sum, left, right, accumulate: false, contraction: 64);
            kernel.MatMul(sum, left, right, accumulate: true);
        });

        // 128 columns shift in, four a cycle; 512 cycles on half the rows, 512 on all; 130 ns to the result.
        Close(run.Stack, (CycleComponent.MatrixWork, At(Tensor, 256 + 512)), (CycleComponent.FillAndDrain, At(Tensor, 256) + (130 * Nanosecond)), (CycleComponent.WeightLoad, At(Tensor, 32)));
        StreamState tensor = streams[(int)StreamId.Tensor];
        tensor.Start.Should().Equal(0, At(Tensor, 544));
        tensor.Free.Should().Equal(At(Tensor, 544), At(Tensor, 1056));
        tensor.Done.Should().Equal(At(Tensor, 544) + (130 * Nanosecond), At(Tensor, 1056) + (130 * Nanosecond));
        run.Busy[(int)StreamId.Tensor].Value.Should().Be(At(Tensor, 1056));
    }

    [Fact]
    public void A_throttled_product()
    {
        Accelerator throttled = Machine with { TensorEngine = Machine.TensorEngine with { Throttle = new ThrottleSpec(0.5, SimTime.FromMicroseconds(3)) } };
        CoreRun run = Core.Run(throttled, kernel =>
        {
            TileView operand = kernel.Sbuf("operand", 512, DataType.Bf16)[0];
            kernel.MatMul(kernel.Psum("sum", 1)[0], operand with { Free = FreePattern.Row(128) }, operand, accumulate: false);
        }).Run;

        // 32 + 512 cycles at half the rate: 1,088, of which 512 work, 33 at most load, and 543 are lost.
        Close(run.Stack, (CycleComponent.MatrixWork, At(Tensor, 512)), (CycleComponent.FillAndDrain, 130 * Nanosecond), (CycleComponent.WeightLoad, At(Tensor, 33)), (CycleComponent.Throttle, At(Tensor, 543)));
    }

    [Fact]
    public void Products_side_by_side_and_one_that_waits_for_its_part()
    {
        (CoreRun run, StreamState[] streams) = Core.Run(Machine, kernel =>
        {
            (TileView left, TileView right, TileBuffer sums) = (kernel.Sbuf("left", 32, DataType.Bf16)[0], kernel.Sbuf("right", 512, DataType.Bf16)[0], kernel.Psum("sums", 3));
            foreach ((int product, int strip) in (ReadOnlySpan<(int, int)>)[(0, 0), (1, 1), (2, 0)])
            {
                kernel.MatMul(sums[product][(32 * strip)..(32 * (strip + 1)), ..], left, right, accumulate: false, tile: ArrayTile.ColumnStrip(strip, 4));
            }
        });

        // 8 cycles to load 32 columns; a quarter of 64 cycles to the next strip, which loads behind the first; the third needs the strip of the first.
        StreamState tensor = streams[(int)StreamId.Tensor];
        tensor.Start.Should().Equal(0, At(Tensor, 16), At(Tensor, 520));
        tensor.Free.Should().Equal(At(Tensor, 16), At(Tensor, 32), At(Tensor, 536));
        tensor.Done.Should().Equal(At(Tensor, 520) + (130 * Nanosecond), At(Tensor, 528) + (130 * Nanosecond), At(Tensor, 1032) + (130 * Nanosecond));
        run.Busy[(int)StreamId.Tensor].Value.Should().Be(At(Tensor, 1032), "time with a product, not the sum of the products");
        // The path is the first and the third; 128 rows of 32 columns fill their strip.
        Close(run.Stack, (CycleComponent.MatrixWork, At(Tensor, 1024)), (CycleComponent.FillAndDrain, 130 * Nanosecond), (CycleComponent.WeightLoad, At(Tensor, 8)));
    }

    [Fact]
    public void The_core_that_comes_last_to_a_barrier_is_the_path_of_both()
    {
        Program Write(StreamId engine, int times)
        {
            var kernel = new KernelBuilder(Machine, "barrier");
            Tile tile = kernel.Sbuf("tile", 1200, DataType.Fp32)[0];
            for (int i = 0; i < times; i++)
            {
                kernel.Memset(engine, tile, 0);
            }

            kernel.Barrier(tile);
            return kernel.Build();
        }

        CoresRun run = Simulator.RunTogether([Write(StreamId.Vector, 1), Write(StreamId.GpSimd, 3), Write(StreamId.GpSimd, 2)], Machine, true, TestContext.Current.CancellationToken);

        // Three of 150 + 1,200 cycles of 1.2 GHz, 1,125 ns each; 50 ns to signal, 3 us to exchange.
        Stack(run.Stacks[0]).Should().Equal((CycleComponent.GpSimd, 3375 * Nanosecond), (CycleComponent.Semaphore, 50 * Nanosecond), (CycleComponent.Collective, 3000 * Nanosecond));
        run.Time.Value.Should().Be(6425 * Nanosecond);
        // The way to the barrier ends in it.
        run.Spans.Select(core => core.Sum(span => span.OnPath.Value)).Should().Equal(3050 * Nanosecond, 3375 * Nanosecond, 0);
        // Each waited at the barrier for its own engine.
        run.Spans.Select(core => core.Single(span => span.Track == "exchange").Wait!).Select(wait => (wait.Cause, wait.Track, wait.Index))
            .Should().Equal((WaitCause.Semaphore, "vector", 0), (WaitCause.Semaphore, "gpsimd", 2), (WaitCause.Semaphore, "gpsimd", 1));
    }

    [Fact]
    public void Parts_of_a_program_have_their_own_causes_counts_and_shares_of_the_memory()
    {
        var kernel = new KernelBuilder(Core.Trn2, "parts");
        TileBuffer tiles = kernel.Sbuf("tiles", 8192, 4);
        foreach ((int part, int bytes) in (ReadOnlySpan<(int, int)>)[(0, 2048), (1, 8192), (2, 512)])
        {
            kernel.Load(StreamId.QueueActivations, tiles[part], 128, bytes);
            kernel.Copy(StreamId.Vector, tiles[3], tiles[part], 128, bytes / 4, DataType.Fp32, DataType.Fp32);
        }

        kernel.Store(StreamId.QueueStores, tiles[3], 128, 512);
        Program built = kernel.Build();
        ImmutableArray<int> End(int count, int stores) => [.. Enumerable.Range(0, Streams.Count).Select(s => (StreamId)s switch { StreamId.Vector or StreamId.QueueActivations => count, StreamId.QueueStores => stores, _ => 0 })];
        var program = new Program("parts", [.. Enumerable.Range(0, Streams.Count).Select(s => built[(StreamId)s].ToArray())], built.Waits.ToArray(), built.Buffers) { PartEnds = [End(1, 0), End(2, 0), End(3, 1)] };

        CoresRun run = Simulator.RunTogether([program], Core.Trn2, false, TestContext.Current.CancellationToken);
        (CoreRun alone, StreamState[] streams) = Simulator.RunWithTimes(program, Core.Trn2);

        PartRun[] parts = run.Cores[0];
        parts.Select(part => part.Counts[ActivityKind.DramReadByte]).Should().Equal(128 * 2048, 128 * 8192, 128 * 512);
        parts.Select(part => part.Counts[ActivityKind.DramWriteByte]).Should().Equal(0, 0, 128 * 512);
        parts.Select(part => part.Counts[ActivityKind.VectorOp]).Should().Equal(128 * 512, 128 * 2048, 128 * 128);
        parts.Select(part => part.Busy[(int)StreamId.Vector].Value).Should().Equal(Enumerable.Range(0, 3).Select(i => streams[(int)StreamId.Vector].Free[i] - streams[(int)StreamId.Vector].Start[i]));
        // Rows are opened for bytes of either direction: 4, 16, and 1 + 1 of 22.
        long opened = alone.Counts[ActivityKind.DramActivate];
        opened.Should().BePositive();
        parts.Select(part => part.Counts[ActivityKind.DramActivate]).Should().Equal(opened * 4 / 22, (opened * 20 / 22) - (opened * 4 / 22), opened - (opened * 20 / 22));
        // Refreshes go by time.
        (long refreshes, long first, long second) = (alone.Counts[ActivityKind.DramRefresh], run.Stacks[0].Total.Value, run.Stacks[1].Total.Value);
        long total = run.Time.Value;
        parts.Select(part => part.Counts[ActivityKind.DramRefresh]).Should().Equal(
            (long)((Int128)refreshes * first / total), (long)((Int128)refreshes * (first + second) / total) - (long)((Int128)refreshes * first / total), refreshes - (long)((Int128)refreshes * (first + second) / total));
        // The path: the load and the copy of 1 MiB, then the last copy and the store; nothing of the first part.
        run.Stacks[0][CycleComponent.Vector].Value.Should().Be(0);
        run.Stacks[1][CycleComponent.Vector].Should().Be(parts[1].Busy[(int)StreamId.Vector]);
        run.Stacks[2][CycleComponent.Vector].Should().Be(parts[2].Busy[(int)StreamId.Vector]);
        run.Time.Should().Be(alone.Time);
    }

    [Fact]
    public void An_empty_program_has_no_path() => Stack(Core.Run(Machine, _ => { }).Run.Stack).Should().BeEmpty();

    private static long At(Clock clock, long cycles) => clock.At(new Cycles(cycles)).Value;

    private static (CycleComponent, long)[] Stack(CycleStack stack) =>
        [.. Enum.GetValues<CycleComponent>().Where(component => stack[component] != SimTime.Zero).Select(component => (component, stack[component].Value))];

    /// <summary>Equal up to the femtoseconds of edges between.</summary>
    private static void Close(CycleStack stack, params (CycleComponent Component, long Time)[] expected)
    {
        (CycleComponent Component, long Time)[] found = Stack(stack);
        found.Select(part => part.Component).Should().Equal(expected.Select(part => part.Component));
        found.Zip(expected).Should().OnlyContain(pair => Math.Abs(pair.First.Time - pair.Second.Time) <= 3);
    }
}
