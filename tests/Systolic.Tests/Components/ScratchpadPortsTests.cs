using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Simulation;
using Systolic.Units;

namespace Systolic.Tests.Components;

/// <summary>Who waits for whom at SBUF and PSUM: Trainium (v2) and Trainium2 (v3) architecture guides.</summary>
public class ScratchpadPortsTests
{
    [Theory]
    [InlineData("v2", true)]
    [InlineData("v3", false)]
    public void The_vector_and_the_general_purpose_engine_share_the_scratchpad_port_of_v2(string core, bool wait)
    {
        // fp32, one element a cycle or two: on v3 not a fast mode that borrows the bus when the type is fp32 and two tensors are added.
        StreamState[] streams = Run(core, kernel =>
        {
            kernel.TensorTensor(StreamId.Vector, AluOperator.Add, Tile(kernel, "sum"), Tile(kernel, "a"), Tile(kernel, "b"));
            kernel.AffineSelect(Tile(kernel, "masked"), Tile(kernel, "scores"), default, 0);
        });

        Waits(streams, StreamId.Vector, StreamId.GpSimd).Should().Be(wait);
    }

    [Fact]
    public void A_fast_mode_of_the_vector_engine_borrows_the_bus_of_the_general_purpose_one()
    {
        StreamState[] streams = Run("v3", kernel =>
        {
            kernel.Copy(StreamId.Vector, Tile(kernel, "copy"), Tile(kernel, "a"));
            kernel.AffineSelect(Tile(kernel, "masked"), Tile(kernel, "scores"), default, 0);
        });

        Waits(streams, StreamId.Vector, StreamId.GpSimd).Should().BeTrue();
    }

    [Theory]
    [InlineData("v2", true)]
    [InlineData("v3", false)]
    public void The_vector_and_the_scalar_engine_share_the_accumulator_port_of_v2(string core, bool wait)
    {
        StreamState[] streams = Run(core, kernel =>
        {
            TileBuffer banks = kernel.Psum("banks", 2);
            kernel.Copy(StreamId.Vector, Tile(kernel, "left"), banks[0]);
            kernel.Copy(StreamId.Scalar, Tile(kernel, "right"), banks[1]);
        });

        Waits(streams, StreamId.Vector, StreamId.Scalar).Should().Be(wait);
    }

    [Fact]
    public void Two_engines_take_turns_at_one_bank_and_the_cycle_stack_says_so()
    {
        (CoreRun run, StreamState[] streams) = Core.Run(Core.Trn2, kernel =>
        {
            Tile bank = kernel.Psum("bank", 1)[0];
            kernel.Copy(StreamId.Vector, Tile(kernel, "left"), bank);
            kernel.Copy(StreamId.Scalar, Tile(kernel, "right"), bank);
        });

        Waits(streams, StreamId.Vector, StreamId.Scalar).Should().BeTrue();
        run.Stack[CycleComponent.ScratchpadConflict].Value.Should().BeCloseTo(streams[(int)StreamId.Scalar].Start[0], 1_000_000, "the second to come waits for all of the first, up to a clock edge");
        run.Stack.Total.Should().Be(run.Time);
    }

    [Fact]
    public void Elements_more_than_sixteen_bytes_apart_take_twice_as_long()
    {
        // 500 elements of fp32: 500 and 1,000 cycles of 1.12 GHz beside the static ones; a stride of 4 elements is 16 bytes.
        double near = Core.Nanoseconds(Core.Trn1, kernel => Every(kernel, 4)), far = Core.Nanoseconds(Core.Trn1, kernel => Every(kernel, 5));

        (far - near).Should().BeApproximately(500 / 1.12, 1);

        static void Every(KernelBuilder kernel, int step) =>
            kernel.Copy(StreamId.Vector, kernel.Sbuf("out", 500, DataType.Fp32)[0], ((TileView)kernel.Sbuf("in", 2500, DataType.Fp32)[0]).Every(step, 500));
    }

    // Trainium2, 512 fp32 elements: VectorE 256 + 100 cycles of 0.96 GHz, 370.8 ns; ScalarE 512 of 1.2 GHz, 426.7 ns, readable 290 ns later; GpSimdE 150 + 512 of 1.2 GHz, 551.7 ns.
    [Theory]
    [InlineData(4, 0, 0, 551.7, 716.7)]
    [InlineData(3, 0, 0, 551.7, 716.7)]
    [InlineData(2, 0, 370.8, 370.8 + 551.7, 716.7)]
    [InlineData(1, 370.8, 370.8 + 426.7, 370.8 + 426.7 + 551.7, 370.8 + 716.7)]
    public void Engines_wait_for_a_free_port(int ports, double scalarStart, double gpsimdStart, double gpsimdEnd, double scalarEnd)
    {
        Accelerator core = Core.WithoutSharing(Core.Trn2);
        (CoreRun run, StreamState[] streams) = Core.Run(core with { Sbuf = core.Sbuf with { Ports = ports } }, kernel =>
        {
            kernel.Copy(StreamId.Vector, Tile(kernel, "a"), Tile(kernel, "b"));
            kernel.Copy(StreamId.Scalar, Tile(kernel, "c"), Tile(kernel, "d"));
            kernel.AffineSelect(Tile(kernel, "e"), Tile(kernel, "f"), default, 0);
        });

        Nanoseconds(streams[(int)StreamId.Scalar].Start[0]).Should().BeApproximately(scalarStart, 1);
        Nanoseconds(streams[(int)StreamId.GpSimd].Start[0]).Should().BeApproximately(gpsimdStart, 1);
        Nanoseconds(run.Time.Value).Should().BeApproximately(Math.Max(gpsimdEnd, scalarEnd), 1);
        run.Stack.Total.Should().Be(run.Time);
    }

    [Fact]
    public void A_narrow_port_sets_the_pace()
    {
        // 512 elements read and written, 8 B each, at 2 B a cycle: 2,048 cycles in place of 356.
        Time(new Bytes(2), Copy).Should().BeApproximately(2048 / 0.96, 1);
        Time(new Bytes(8), Copy).Should().BeApproximately(512 / 0.96, 1);
        Time(new Bytes(64), Copy).Should().BeApproximately(356 / 0.96, 1);
        // 128 stationary and 512 moving columns of 2 B at 1 B a cycle: 1,280 cycles of 2.4 GHz in place of 32 + 512; 130 ns to the result.
        Time(new Bytes(1), Product).Should().BeApproximately((1280 / 2.4) + 130, 1);
        Time(new Bytes(4), Product).Should().BeApproximately((544 / 2.4) + 130, 1);

        static double Time(Bytes width, Action<KernelBuilder> write) => Core.Nanoseconds(Core.Trn2 with { Sbuf = Core.Trn2.Sbuf with { Width = width } }, write);
        static void Copy(KernelBuilder kernel) => kernel.Copy(StreamId.Vector, Tile(kernel, "a"), Tile(kernel, "b"));
        static void Product(KernelBuilder kernel) =>
            kernel.MatMul(kernel.Psum("sum", 1)[0], kernel.Sbuf("stationary", 128, DataType.Bf16)[0], kernel.Sbuf("moving", 512, DataType.Bf16)[0], accumulate: false);
    }

    [Fact]
    public void Setting_up_accesses_occupies_the_engine_and_latency_only_delays_the_result()
    {
        // Three copies behind each other, PSUM to SBUF: 512 + 100 cycles of 0.96 GHz each; the larger of two set-ups, the sum of two latencies.
        double plain = Three(Core.Trn2);
        plain.Should().BeApproximately(3 * 612 / 0.96, 1);
        Three(Core.Trn2 with { Sbuf = Core.Trn2.Sbuf with { AccessSetup = 60 }, Psum = Core.Trn2.Psum with { AccessSetup = 40 } }).Should().BeApproximately(3 * 672 / 0.96, 1);
        Three(Core.Trn2 with { Sbuf = Core.Trn2.Sbuf with { Latency = SimTime.FromNanoseconds(20) }, Psum = Core.Trn2.Psum with { Latency = SimTime.FromNanoseconds(5) } }).Should().BeApproximately(plain + 25, 1);

        static double Three(Accelerator core) => Core.Nanoseconds(core, kernel =>
        {
            Tile source = kernel.Psum("bank", 1)[0];
            for (int i = 0; i < 3; i++)
            {
                kernel.Copy(StreamId.Vector, Tile(kernel, "copy"), source);
            }
        });
    }

    [Fact]
    public void What_a_memory_holds_up_is_a_conflict_in_the_cycle_stack()
    {
        CoreRun run = Core.Run(Core.Trn2 with { Sbuf = Core.Trn2.Sbuf with { AccessSetup = 960, Width = new Bytes(2) } }, kernel => kernel.Copy(StreamId.Vector, Tile(kernel, "a"), Tile(kernel, "b"))).Run;

        // 960 cycles of set-up, 2,048 - 356 of waiting for the port.
        Nanoseconds(run.Stack[CycleComponent.ScratchpadConflict].Value).Should().BeApproximately((960 + 2048 - 356) / 0.96, 1);
        run.Stack.Total.Should().Be(run.Time);
    }

    private static double Nanoseconds(long time) => time / (double)Core.Nanosecond;

    private static TileView Tile(KernelBuilder kernel, string name) => kernel.Sbuf(name, 512, DataType.Fp32)[0];

    private static StreamState[] Run(string core, Action<KernelBuilder> write) => Core.Run(core == "v2" ? Core.Trn1 : Core.Trn2, write).Streams;

    /// <summary>The second starts when the first is done with its operands, not at once.</summary>
    private static bool Waits(StreamState[] streams, StreamId first, StreamId second) => streams[(int)second].Start[0] >= streams[(int)first].Free[0];
}
