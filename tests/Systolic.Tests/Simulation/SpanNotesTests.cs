using CsCheck;
using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Simulation;

/// <summary>What each instruction waited for, and the critical path.</summary>
public class SpanNotesTests
{
    [Fact]
    public void A_reader_waits_for_the_semaphore_of_the_writer()
    {
        // ScalarE square of 1,200: 1,000 ns, 290 to the result, 50 for the signal; VectorE starts at the next edge of 0.96 GHz, 1,287.
        Span copy = Single(Core.Trn2, "vector", kernel =>
        {
            TileBuffer tiles = kernel.Sbuf("tiles", 4800, 3);
            kernel.Activation(ActivationFunction.Square, tiles[1], tiles[0], null, 128, 1200, DataType.Fp32, DataType.Fp32);
            kernel.Copy(StreamId.Vector, tiles[2], tiles[1], 128, 956, DataType.Fp32, DataType.Fp32);
        });

        copy.Wait.Should().Be(new Wait(WaitCause.Semaphore, copy.Start) { Track = "scalar", Name = "Activation Square", Index = 0, Since = copy.Start });
        copy.Start.Seconds.Should().BeApproximately(1287 / 0.96e9, 1e-12);
    }

    // A run of 480 B takes 128 x 480 / 368 = 167 ns of 1,527 ns; one of 32,768 B is on the way for 11.4 of 12.8 us.
    [Theory]
    [InlineData(480, WaitCause.MemoryLatency)]
    [InlineData(32768, WaitCause.MemoryBandwidth)]
    public void A_wait_for_a_load_says_what_the_load_was_held_by(int run, WaitCause cause)
    {
        Span copy = Single(Core.Trn2, "vector", kernel =>
        {
            TileBuffer tiles = kernel.Sbuf("tiles", run, 2);
            kernel.Load(StreamId.QueueActivations, tiles[0], 128, run);
            kernel.Copy(StreamId.Vector, tiles[1], tiles[0], 128, 120, DataType.Fp32, DataType.Fp32);
        });

        copy.Wait.Should().Be(new Wait(cause, copy.Start) { Track = "dma activations", Name = "Load", Index = 0, Since = copy.Start });
    }

    [Fact]
    public void A_load_that_its_queue_puts_behind_a_wait_of_its_own_is_waited_for_at_the_queue()
    {
        // The second load goes to the tile that the product of 50 us reads; the last copy waits for it, mostly before it has begun.
        Span copy = Spans(Core.Trn2, kernel =>
        {
            TileBuffer tiles = kernel.Sbuf("tiles", 65536, 2);
            kernel.Load(StreamId.QueueActivations, tiles[0], 128, 480);
            kernel.AffineSelect(tiles[1], tiles[0], 128, 16000, DataType.Fp32);
            kernel.Load(StreamId.QueueActivations, tiles[0], 128, 480);
            kernel.Copy(StreamId.Vector, tiles[1], tiles[0], 128, 120, DataType.Fp32, DataType.Fp32);
        }).Single(span => span.Track == "vector");

        (copy.Wait!.Cause, copy.Wait.Track, copy.Wait.Index).Should().Be((WaitCause.Queue, "dma activations", 1));
    }

    [Fact]
    public void Another_function_waits_for_its_table()
    {
        Span[] spans = Spans(Core.Trn2, kernel =>
        {
            TileBuffer tiles = kernel.Sbuf("tiles", 4800, 4);
            foreach (ActivationFunction function in (ActivationFunction[])[ActivationFunction.Square, ActivationFunction.Exp, ActivationFunction.Exp, ActivationFunction.Gelu])
            {
                kernel.Activation(function, tiles[1], tiles[0], null, 128, 64, DataType.Fp32, DataType.Fp32);
            }
        });

        spans.Select(span => span.Wait).Should().Equal(null, Table, null, Table);
    }

    private static readonly Wait Table = new(WaitCause.FunctionTable, Core.Trn2.ScalarEngine.TableLoad);

    [Fact]
    public void Engines_that_share_a_bank_or_a_port_wait_for_each_other()
    {
        Tile At(KernelBuilder kernel, string name) => kernel.Sbuf(name, 512, DataType.Fp32)[0];
        Span bank = Single(Core.Trn2, "scalar", kernel =>
        {
            Tile shared = kernel.Psum("bank", 1)[0];
            kernel.Copy(StreamId.Vector, At(kernel, "left"), shared);
            kernel.Copy(StreamId.Scalar, At(kernel, "right"), shared);
        });
        Span port = Single(Core.Trn1, "gpsimd", kernel =>
        {
            kernel.TensorTensor(StreamId.Vector, AluOperator.Add, At(kernel, "sum"), At(kernel, "a"), At(kernel, "b"));
            kernel.AffineSelect(At(kernel, "masked"), At(kernel, "scores"), default, 0);
        });

        bank.Wait.Should().Be(new Wait(WaitCause.AccumulatorBank, bank.Start) { Track = "vector", Name = "Copy", Index = 0, Since = bank.Start });
        port.Wait.Should().Be(new Wait(WaitCause.ScratchpadPort, port.Start) { Track = "vector", Name = "TensorTensor", Index = 0, Since = port.Start });
    }

    [Fact]
    public void A_port_too_narrow_is_waited_for_and_nobody_else_is_to_blame()
    {
        Span copy = Single(Core.Trn2 with { Sbuf = Core.Trn2.Sbuf with { Width = new Bytes(2) } }, "vector", kernel => Core.Copy(kernel, StreamId.Vector, 512, DataType.Fp32));

        (copy.Wait!.Cause, copy.Wait.Track).Should().Be((WaitCause.ScratchpadPort, ""));
    }

    [Fact]
    public void A_product_waits_for_the_part_of_the_array_that_another_holds()
    {
        Span second = Spans(Core.Trn2, kernel =>
        {
            TileView whole = kernel.Sbuf("whole", 128, DataType.Bf16)[0][.., ..];
            foreach (ArrayTile tile in (ArrayTile[])[ArrayTile.ColumnStrip(0, 4), ArrayTile.Whole])
            {
                int columns = tile.IsWhole ? 128 : 32;
                kernel.MatMul(kernel.Psum("sum", 1)[0][..columns, ..128], whole with { Free = FreePattern.Row(columns) }, whole, false, tile: tile);
            }
        })[1];

        (second.Wait!.Cause, second.Wait.Track, second.Wait.Index).Should().Be((WaitCause.Array, "tensor", 0));
    }

    [Fact]
    public void A_transfer_waits_while_descriptors_of_another_queue_are_written()
    {
        // Software writes the descriptors of one transfer in 860 ns; both queues begin at once.
        Span[] spans = Spans(Core.Trn2, kernel =>
        {
            kernel.Descriptors = DescriptorSource.Software;
            TileBuffer tiles = kernel.Sbuf("tiles", 480, 2);
            kernel.Load(StreamId.QueueWeights, tiles[0], 128, 480);
            kernel.Load(StreamId.QueueActivations, tiles[1], 128, 480);
        });

        spans.Single(span => span.Track == "dma weights").Wait.Should().BeNull();
        spans.Single(span => span.Track == "dma activations").Wait.Should().Be(new Wait(WaitCause.DescriptorBlock, Core.Trn2.Dma.SoftwareInterval));
    }

    [Theory]
    [InlineData(DescriptorSource.Hardware, 600)]
    [InlineData(DescriptorSource.HardwareOneBlock, 600)]
    [InlineData(DescriptorSource.Software, 860)]
    public void A_queue_waits_for_descriptors_of_another_for_as_long_as_they_take(DescriptorSource source, int nanoseconds)
    {
        Span[] spans = Spans(Core.Trn2, kernel =>
        {
            kernel.Descriptors = source;
            TileBuffer tiles = kernel.Sbuf("tiles", 480, 3);
            kernel.Load(StreamId.QueueWeights, tiles[0], 128, 480);
            kernel.Load(StreamId.QueueActivations, tiles[1], 128, 480);
            kernel.Load(StreamId.QueueSmall, tiles[2], 128, 480);
        });

        spans.Where(span => span.Track.StartsWith("dma", StringComparison.Ordinal)).OrderBy(span => span.Start + span.Duration).Select(span => span.Wait).Should().Equal(
            null, new Wait(WaitCause.DescriptorBlock, SimTime.FromNanoseconds(nanoseconds)), new Wait(WaitCause.DescriptorBlock, SimTime.FromNanoseconds(2 * nanoseconds)));
    }

    [Fact]
    public void A_wait_for_a_load_that_was_mostly_described_is_a_wait_for_that()
    {
        // 860 ns of software, then 128 x 480 / 368 = 167 ns; nothing to the first byte and to the reader.
        Accelerator machine = Core.Trn2 with { Dma = Core.Trn2.Dma with { TriggerLatency = SimTime.Zero, CompletionLatency = SimTime.Zero } };
        Span copy = Single(machine, "vector", kernel =>
        {
            kernel.Descriptors = DescriptorSource.Software;
            TileBuffer tiles = kernel.Sbuf("tiles", 480, 2);
            kernel.Load(StreamId.QueueActivations, tiles[0], 128, 480);
            kernel.Copy(StreamId.Vector, tiles[1], tiles[0], 128, 120, DataType.Fp32, DataType.Fp32);
        });

        (copy.Wait!.Cause, copy.Wait.Track, copy.Wait.Index).Should().Be((WaitCause.DmaIssue, "dma activations", 0));
    }

    [Fact]
    public void What_follows_an_exchange_waits_for_it()
    {
        // The barrier waits for the memset, the copy for the barrier.
        Span[] spans = Spans(Core.Trn2, kernel =>
        {
            Tile tile = kernel.Sbuf("tile", 16, DataType.Fp32)[0];
            kernel.Memset(StreamId.Vector, tile, 0);
            kernel.Barrier(tile);
            kernel.Copy(StreamId.Scalar, kernel.Sbuf("copy", 16, DataType.Fp32)[0], tile);
        });

        (Span barrier, Span copy) = (spans.Single(span => span.Track == "exchange"), spans.Single(span => span.Track == "scalar"));
        barrier.Wait.Should().Be(new Wait(WaitCause.Semaphore, barrier.Start) { Track = "vector", Name = "Memset", Index = 0, Since = barrier.Start });
        copy.Wait.Should().Be(new Wait(WaitCause.Exchange, copy.Start) { Track = "exchange", Name = "Barrier", Index = 0, Since = copy.Start - barrier.Start });
    }

    [Fact]
    public void Who_let_go_of_a_port_last_is_waited_for()
    {
        // One port: VectorE takes it for 370.8 ns, then ScalarE for 426.7, then GpSimdE.
        Accelerator core = Core.WithoutSharing(Core.Trn2);
        Span[] spans = Spans(core with { Sbuf = core.Sbuf with { Ports = 1 } }, kernel =>
        {
            Tile At(string name) => kernel.Sbuf(name, 512, DataType.Fp32)[0];
            kernel.Copy(StreamId.Vector, At("a"), At("b"));
            kernel.Copy(StreamId.Scalar, At("c"), At("d"));
            kernel.AffineSelect(At("e"), At("f"), default, 0);
        });

        (Span vector, Span scalar, Span third) = (spans.Single(span => span.Track == "vector"), spans.Single(span => span.Track == "scalar"), spans.Single(span => span.Track == "gpsimd"));
        vector.Wait.Should().BeNull();
        scalar.Wait.Should().Be(new Wait(WaitCause.ScratchpadPort, scalar.Start) { Track = "vector", Name = "Copy", Index = 0, Since = scalar.Start });
        third.Wait.Should().Be(new Wait(WaitCause.ScratchpadPort, third.Start) { Track = "scalar", Name = "Copy", Index = 0, Since = third.Start - scalar.Start });
    }

    [Fact]
    public void A_table_is_loaded_before_the_first_function_that_needs_one_and_before_another()
    {
        // Square needs none.
        Span[] spans = Spans(Core.Trn2, kernel =>
        {
            TileBuffer tiles = kernel.Sbuf("tiles", 256, 2);
            foreach (ActivationFunction function in (ActivationFunction[])[ActivationFunction.Exp, ActivationFunction.Square, ActivationFunction.Exp, ActivationFunction.Tanh, ActivationFunction.Exp])
            {
                kernel.Activation(function, tiles[1], tiles[0], null, 128, 64, DataType.Fp32, DataType.Fp32);
            }
        });

        spans.Select(span => span.Wait).Should().Equal(Table, null, null, Table, Table);
        spans.Select(span => span.Name).Should().Equal("Activation Exp", "Activation Square", "Activation Exp", "Activation Tanh", "Activation Exp");
        spans.Select(span => span.Index).Should().Equal(0, 1, 2, 3, 4);
    }

    [Fact]
    public void The_critical_path_of_any_program_sums_to_its_time_and_nobody_waits_for_what_starts_later() =>
        RandomPrograms.All.Sample(
            steps =>
            {
                foreach (DescriptorSource source in (DescriptorSource[])[DescriptorSource.Compiled, DescriptorSource.Software])
                {
                    foreach (Accelerator machine in (Accelerator[])[Core.Trn1, Core.Trn2])
                    {
                        CoreRun run = Simulator.Run(RandomPrograms.Write(steps, machine, descriptors: source), machine, collectSpans: true);
                        Wait[] waits = [.. run.Spans.Select(span => span.Wait).OfType<Wait>()];

                        run.Spans.Sum(span => span.OnPath.Value).Should().Be(run.Time.Value);
                        waits.Should().NotContain(wait => wait.Time <= SimTime.Zero || wait.Since < SimTime.Zero);
                        run.Spans.Where(span => span.Wait is { Track.Length: > 0 }).Should().NotContain(span => !IsThere(run, span));
                    }
                }
            },
            iter: 100);

    [Fact]
    public void The_critical_path_of_a_kernel_sums_to_its_time()
    {
        var product = new MatMul("product", 500, 700, 900, LeftTransposed: true) { Type = DataType.Bf16 };
        foreach (Accelerator machine in (Accelerator[])[Core.Trn1, Core.Trn2, Core.Trn3])
        {
            CoreRun run = Simulator.Run(KernelLibrary.Lower(product, machine).Passes.First().Program, machine, true, TestContext.Current.CancellationToken);

            run.Spans.Sum(span => span.OnPath.Value).Should().Be(run.Time.Value);
        }
    }

    /// <summary>What it waited for is a span of that name, at that time and place.</summary>
    private static bool IsThere(CoreRun run, Span span) =>
        run.Spans.Any(other => (other.Track, other.Name, other.Index, other.Start) == (span.Wait!.Track, span.Wait.Name, span.Wait.Index, span.Start - span.Wait.Since));

    private static Span Single(Accelerator machine, string track, Action<KernelBuilder> write) => Spans(machine, write).Single(span => span.Track == track);

    private static Span[] Spans(Accelerator machine, Action<KernelBuilder> write)
    {
        var kernel = new KernelBuilder(machine, "test");
        write(kernel);
        return [.. Simulator.Run(kernel.Build(), machine, collectSpans: true).Spans];
    }
}
