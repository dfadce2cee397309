using CsCheck;
using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Kernels;
using Systolic.Units;

namespace Systolic.Tests.Simulation;

public class SimulatorTests
{
    [Fact]
    public void A_dependent_chain_pays_result_latency_and_semaphore_between_engines()
    {
        // ScalarE square of 1,200: 1,000 ns, 290 to the result, 50 for the signal; VectorE starts at the next edge of 0.96 GHz:
        // 1,340 ns x 0.96 = 1,286.4, edge 1,287; then 956 fp32 elements copied, two a cycle: 478 + 100 cycles.
        double time = Core.Nanoseconds(Core.Trn2, kernel =>
        {
            TileBuffer tiles = kernel.Sbuf("tiles", 4800, 3);
            kernel.Activation(ActivationFunction.Square, tiles[1], tiles[0], null, 128, 1200, DataType.Fp32, DataType.Fp32);
            kernel.Copy(StreamId.Vector, tiles[2], tiles[1], 128, 956, DataType.Fp32, DataType.Fp32);
        });

        time.Should().BeApproximately((1287 + 578) / 0.96, 0.01);
    }

    [Fact]
    public void A_load_starts_its_consumer_without_a_further_signal()
    {
        // 60 + 1,000 + 128 x 480 B / 368 + 300 = 1,526.96 ns and the way through the memory; then the next edge of 0.96 GHz; 60 cycles for 120 elements, but at least 64, and 100.
        (CoreRun run, StreamState[] streams) = Core.Run(Core.WithoutRefresh(Core.Trn2), kernel =>
        {
            TileBuffer tiles = kernel.Sbuf("tiles", 480, 2);
            kernel.Load(StreamId.QueueActivations, tiles[0], 128, 480);
            kernel.Copy(StreamId.Vector, tiles[1], tiles[0], 128, 120, DataType.Fp32, DataType.Fp32);
        });

        long loaded = streams[(int)StreamId.QueueActivations].Done[0], start = streams[(int)StreamId.Vector].Start[0];
        (loaded / 1e6).Should().BeInRange(1526.96, 1526.96 + Core.MemoryNanoseconds);
        (start - loaded).Should().BeInRange(0, 1_000_000_000L / 960);
        (run.Time.Value - start).Should().BeCloseTo(164 * 1_000_000_000L / 960, 2);
    }

    [Fact]
    public void A_run_says_which_copies_of_a_buffer_were_written()
    {
        CoreRun run = Core.Run(Core.Trn2, kernel =>
        {
            TileBuffer source = kernel.Sbuf("source", 480, DataType.Fp32, 3);
            TileBuffer target = kernel.Sbuf("target", 480, DataType.Fp32, 2);
            kernel.Load(StreamId.QueueActivations, source[0], 128, 1920);
            kernel.Load(StreamId.QueueActivations, source[1], 128, 1920);
            kernel.Copy(StreamId.Vector, target[0], source[0]);
        }).Run;

        run.Buffers.Should().Equal(new BufferUse("sbuf", "source", new Bytes(1920), 3, 2), new BufferUse("sbuf", "target", new Bytes(1920), 2, 1));
    }

    [Fact]
    public void Independent_engines_overlap()
    {
        // VectorE 1,912 / 2 + 100 = 1,056 cycles at 0.96 GHz = 1,100 ns; GpSimdE 150 + 1,170 cycles at 1.2 GHz = 1,100 ns.
        double time = Core.Nanoseconds(Core.WithoutSharing(Core.Trn2), kernel =>
        {
            TileBuffer tiles = kernel.Sbuf("tiles", 8192, 4);
            kernel.Copy(StreamId.Vector, tiles[1], tiles[0], 128, 1912, DataType.Fp32, DataType.Fp32);
            kernel.AffineSelect(tiles[3], tiles[2], 128, 1170, DataType.Fp32);
        });

        time.Should().BeApproximately(1100, 0.01);
    }

    [Fact]
    public void The_stack_of_any_program_sums_to_its_time_and_no_engine_is_busier_than_that() =>
        RandomPrograms.All.Sample(
            steps =>
            {
                CoreRun run = Simulator.Run(RandomPrograms.Write(steps, Core.Trn2), Core.Trn2);

                run.Busy.Should().OnlyContain(busy => busy <= run.Time);
                Enum.GetValues<CycleComponent>().Should().OnlyContain(component => run.Stack[component] >= SimTime.Zero);
                Enum.GetValues<CycleComponent>().Sum(component => run.Stack[component].Value).Should().Be(run.Time.Value);
                run.Time.Should().Be(LastCompletion(RandomPrograms.Write(steps, Core.Trn2)));
            },
            iter: 300);

    [Fact]
    public void Any_program_reads_only_completed_writes() =>
        RandomPrograms.All.Sample(
            steps =>
            {
                // Every tile is written first, so that a read always has a writer.
                RandomPrograms.Step[] filled = [.. Enumerable.Range(0, 5).Select(tile => new RandomPrograms.Step(8, tile, 0, 0, 1)), new(0, 0, 0, 1, 1), new(0, 1, 0, 1, 1), .. steps];
                Programs.Program program = RandomPrograms.Write(filled, Core.Trn2);
                HazardChecker.Find(program, Simulator.RunWithTimes(program, Core.Trn2).Streams).Should().BeNull();
            },
            iter: 300);

    [Fact]
    public void Equal_programs_give_equal_spans() =>
        RandomPrograms.All.Sample(
            steps =>
            {
                CoreRun one = Simulator.Run(RandomPrograms.Write(steps, Core.Trn2), Core.Trn2, true);
                CoreRun two = Simulator.Run(RandomPrograms.Write(steps, Core.Trn2), Core.Trn2, true);

                two.Spans.Should().Equal(one.Spans);
                two.Counts.Should().Be(one.Counts);
                one.Spans.Should().HaveCount(steps.Length);
            },
            iter: 50);

    [Fact]
    public void Collecting_spans_changes_nothing_else()
    {
        Programs.Program program = RandomPrograms.Write([new(8, 0, 0, 0, 100), new(2, 1, 0, 0, 100), new(9, 0, 1, 0, 100)], Core.Trn2);
        CoreRun with = Simulator.Run(program, Core.Trn2, true, TestContext.Current.CancellationToken);
        CoreRun without = Simulator.RunWithTimes(program, Core.Trn2).Run;

        with.Time.Should().Be(without.Time);
        without.Spans.Should().BeEmpty();
        with.Spans.Select(span => span.Track).Should().Equal("dma weights", "vector", "dma stores");
    }

    [Fact]
    public void A_wait_for_what_never_happens_names_the_stuck_instruction()
    {
        Instruction[][] streams = [.. Enumerable.Range(0, Streams.Count).Select(_ => Array.Empty<Instruction>())];
        streams[(int)StreamId.Vector] = [new() { Opcode = Opcode.Copy, Partitions = 1, Free = 1, FirstWait = 0, WaitCount = 1 }];
        var program = new Programs.Program("loop", streams, [new SemaphoreWait(StreamId.Scalar, 3)], []);
        Action run = () => Simulator.Run(program, Core.Trn2);

        run.Should().Throw<InvalidOperationException>()
            .WithMessage("loop: stream vector is stuck at instruction 0 (Copy), waiting for 3 completions of scalar.");
    }

    [Fact]
    public void A_cancelled_run_stops()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        Action run = () => Simulator.Run(RandomPrograms.Write([new(2, 0, 1, 2, 10)], Core.Trn2), Core.Trn2, false, source.Token);

        run.Should().Throw<OperationCanceledException>();
    }

    [Fact]
    public void An_empty_program_takes_no_time() =>
        Simulator.RunWithTimes(new KernelBuilder(Core.Trn2, "empty").Build(), Core.Trn2).Run.Time.Should().Be(SimTime.Zero);

    [Fact]
    public void Engines_alone_agree_with_the_fixed_point_of_their_equations() =>
        RandomPrograms.EnginesOnly.Sample(
            (RandomPrograms.Step[] steps) =>
            {
                foreach (Accelerator machine in new[] { Core.WithoutSharing(Core.Trn1), Core.WithoutSharing(Core.Trn2) })
                {
                    Programs.Program program = RandomPrograms.Write(steps, machine);
                    FixedPoint expected = new(program, machine);
                    StreamState[] actual = Simulator.RunWithTimes(program, machine).Streams;
                    for (int stream = 0; stream < 4; stream++)
                    {
                        actual[stream].Start.Should().Equal(expected.Start[stream]);
                        actual[stream].Done.Should().Equal(expected.Done[stream]);
                    }
                }
            },
            iter: 200);

    private static SimTime LastCompletion(Programs.Program program) =>
        new(Simulator.RunWithTimes(program, Core.Trn2).Streams.Max(stream => stream.Done.Length == 0 ? 0 : stream.Done[^1]));
}
